import { join } from 'node:path'
import type { DestinationInput } from '../../relay/tenant/rpc.ts'
import { freePort, prometheusQuery, victoriaExport } from '../support/real-servers.ts'
import type { StandInKind } from '../support/stand-ins/protocol.ts'
import { type Child, startChild } from './child.ts'
import { type HostNames, snapshotsIn } from './held.ts'
import { SINKS, type SinkName, STAND_INS } from './plan.ts'
import { openPrometheus, openVictoriaMetrics, type ServerProcess } from './server-process.ts'
import type { SinkOrder, SinkReport } from './sink-orders.ts'
import { type SinkProxy, startSinkProxy } from './sink-proxy.ts'

/** Longest that this suite may have run when a store is read. */
const READ_BACK = '6h'

/** One store behind its proxy: a destination of every tenant. */
export interface Sink {
  readonly name: SinkName
  readonly proxy: SinkProxy
  /** As `destination add` takes it. */
  destination(tenant: number): DestinationInput
  start(): Promise<void>
  kill(): Promise<void>
  report(hosts: readonly HostNames[]): Promise<SinkReport>
}

/** All of them, started. */
export function openSinks(folder: string): Promise<Sink[]> {
  return Promise.all(SINKS.map(name => openSink(name, folder)))
}

async function openSink(name: SinkName, folder: string): Promise<Sink> {
  const standIn = STAND_INS.find(kind => kind === name)
  const directory = join(folder, name)
  if (standIn) return openStandIn(standIn, `${directory}.journal`)
  return name === 'prometheus'
    ? openServer(name, await openPrometheus(directory), readPrometheus)
    : openServer(name, await openVictoriaMetrics(directory), readVictoria)
}

async function openStandIn(kind: StandInKind, journal: string): Promise<Sink> {
  const port = await freePort()
  const proxy = await startSinkProxy(port)
  let child: Child<SinkOrder, SinkReport> | undefined
  const start = async () => {
    child = await startChild('./sink.ts', [kind, String(port), journal])
  }
  await start()
  return {
    name: kind,
    proxy,
    destination: () => ({ name: kind, sink: kind, settings: { url: proxy.url } }),
    start,
    kill: async () => child?.kill(),
    async report(hosts) {
      if (!child) throw new Error(`the ${kind} stand-in does not run`)
      return child.ask({ hosts })
    },
  }
}

type Read = (url: string, host: HostNames) => ReturnType<typeof prometheusQuery>

async function openServer(name: SinkName, server: ServerProcess, read: Read): Promise<Sink> {
  await server.start()
  const proxy = await startSinkProxy(server.port)
  return {
    name,
    proxy,
    destination: tenant => ({ name, ...howToWrite(name, tenant, proxy.url) }),
    start: server.start,
    kill: server.kill,
    async report(hosts) {
      const held = []
      // One host after the other: an answer with all would not fit a string.
      for (const host of hosts) {
        const series = await read(server.url, host)
        const stored = series.map(({ labels, samples }) => ({ name: labels.__name__ ?? '', labels, samples }))
        held.push(...snapshotsIn(stored, [host]))
      }
      return { held, reordered: [], defects: [], page: '' }
    },
  }
}

/** VictoriaMetrics is written to in both ways that it takes, each tenant in its own. */
function howToWrite(name: SinkName, tenant: number, url: string): Pick<DestinationInput, 'sink' | 'settings'> {
  if (name === 'victoria-metrics' && tenant % 2 === 1)
    return { sink: 'influxdb', settings: { url, measurement: 'onec' } }
  return { sink: 'remote-write', settings: { url } }
}

const readPrometheus: Read = (url, { tenant, name }) =>
  prometheusQuery(url, `{__name__=~"onec_.+",job!="onec_relay",instance="${name}",tenant="${tenant}"}[${READ_BACK}]`)

/** By either name of the label, as it was written in either way. */
const readVictoria: Read = async (url, { tenant, name }) => {
  const read = (label: string) => victoriaExport(url, `{tenant="${tenant}",${label}="${name}"}`)
  return [...(await read('instance')), ...(await read('host'))]
}
