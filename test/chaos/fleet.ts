import { cpSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../../agent/clock.ts'
import { readConfig, readToken, statePaths } from '../../agent/config.ts'
import { createDelivery } from '../../agent/delivery.ts'
import type { Log } from '../../agent/log.ts'
import { nextSnapshotTime } from '../../agent/phase.ts'
import { exchange } from '../../agent/relay.ts'
import { createSettings } from '../../agent/settings.ts'
import { createShipper } from '../../agent/ship.ts'
import { openAside } from '../../agent/spool/aside.ts'
import { cutBatch } from '../../agent/spool/batch.ts'
import { openSpool } from '../../agent/spool/spool.ts'
import { openDisk } from './disk.ts'
import type { FleetOrder, FleetReport, HostSeat } from './fleet-orders.ts'
import { makeEntry, makeSnapshot } from './snapshots.ts'

/**
 * `node fleet.ts SEATS.json`: some hosts in one process that can be killed, each with the agent's own spool, shipper,
 * settings and delivery loop on its own state directory. Only what the agent collects is made up.
 */

const BOUNDS = { maxBytes: 64 * 1024 * 1024, maxAgeMs: 7 * 86_400_000 }

interface Host {
  readonly seat: HostSeat
  readonly waiting: () => number
  readonly setDiskFull: (isFull: boolean) => void
  readonly facts: () => FleetReport['hosts'][number]
}

let isMaking = true

function startHost(seat: HostSeat): Host {
  const clock = systemClock
  const paths = statePaths(seat.state)
  const token = readToken(paths)
  const config = readConfig(paths)
  if (!config) throw new Error(`${seat.name} is not enrolled`)
  const disk = openDisk()
  const spool = openSpool({ files: disk.files, directory: paths.spool, ...BOUNDS, cut: cutBatch })
  const aside = openAside(disk.files, paths.aside)
  const log: Log = (level, text) => {
    if (level !== 'info') console.log(`${new Date().toISOString()} ${seat.name}: ${text}`)
  }
  const settings = createSettings({
    paths,
    local: config.host ?? {},
    environmentIntervalMs: 1_000,
    token,
    exchange,
    log,
  })
  const identity = { version: '0.0.0-chaos', os: 'Windows Server 2022', hostname: seat.name, bootId: 'chaos' }
  const agent = () => ({ ...identity, intervalMs: settings.current().intervalMs })
  const random = Math.random
  const shipper = createShipper({ spool, aside, exchange, routes: config.routes, token, agent, clock, random })
  const delivery = createDelivery({ shipper, settings, clock, log, onGranted: () => {}, onTick: () => {} })

  // Beside the state directory, so that a restored one does not take it back: what was on disk, and what was not.
  const ledger = openSync(seat.ledger, 'a', 0o600)
  let lastAtMs: number | undefined
  async function make(): Promise<void> {
    await wait(Math.random() * seat.everyMs)
    for (;;) {
      if (isMaking) {
        const atMs = nextSnapshotTime(clock.nowMs(), lastAtMs)
        lastAtMs = atMs
        const snapshot = makeSnapshot(seat.number, atMs, clock.monoMs())
        const isSpooled = spool.append({ atMs, snapshot, entries: [makeEntry(atMs)] }, atMs)
        writeSync(ledger, `${isSpooled ? 'spooled' : 'refused'} ${atMs}\n`)
        if (isSpooled) delivery.wake()
      }
      await wait(seat.everyMs)
    }
  }
  void make()
  void delivery.run(new AbortController().signal)
  const waiting = () => spool.behind('').batches
  return {
    seat,
    waiting,
    setDiskFull: isFull => {
      disk.isFull = isFull
    },
    facts: () => ({
      name: seat.name,
      waiting: waiting(),
      dropped: spool.dropped,
      aside: aside.count,
      problem: delivery.state.problem?.reason ?? null,
    }),
  }
}

const { seats } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as { seats: readonly HostSeat[] }
const hosts = seats.map(startHost)

function obey(order: FleetOrder): FleetReport {
  const host = hosts.find(({ seat }) => seat.name === order.host)
  switch (order.kind) {
    case 'quiet':
      isMaking = false
      break
    case 'full-disk':
      host?.setDiskFull(order.isFull)
      break
    case 'copy-state':
      // Nothing else runs meanwhile: a machine's snapshot is of one moment.
      if (!host) throw new Error(`no host ${order.host} here`)
      rmSync(order.to, { recursive: true, force: true })
      cpSync(host.seat.state, order.to, { recursive: true })
      break
    case 'report':
  }
  return { hosts: hosts.map(({ facts }) => facts()) }
}

process.on('message', ({ id, order }: { id: number; order: FleetOrder }) => process.send?.({ id, reply: obey(order) }))
process.on('disconnect', () => process.exit(0))
process.send?.({ id: 0, reply: null })
