import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { statePaths, writeEnrolment } from '../../agent/config.ts'
import { enrolReply } from '../../shared/wire.ts'
import { type Child, startChild } from './child.ts'
import type { FleetOrder, FleetReport, HostSeat } from './fleet-orders.ts'
import type { HostNames } from './held.ts'

/** A simulated host. */
export interface SimulatedHost extends HostNames {
  readonly seat: HostSeat
  readonly fleet: number
  /** Its state was taken back, or it ran twice: it posts what is older than what it posted before. */
  isShaky: boolean
}

/** What a host's own file says of the snapshots it made. */
export interface Ledger {
  readonly spooled: readonly number[]
  readonly refused: readonly number[]
}

export interface Agents {
  readonly hosts: readonly SimulatedHost[]
  readonly kills: number
  start(fleet: number): Promise<void>
  kill(fleet: number): Promise<void>
  tell(host: SimulatedHost, order: FleetOrder): Promise<FleetReport>
  /** To every process. */
  tellAll(order: FleetOrder): Promise<FleetReport['hosts']>
  /** Puts a copy of a host's state in the place of what it has now; its process must not run. */
  restore(host: SimulatedHost, copy: string): void
  /** A second machine with a copy of its token and a spool of its own; the returned call kills it. */
  startClone(host: SimulatedHost): Promise<() => Promise<void>>
  ledgerOf(host: SimulatedHost): Ledger
  output(): string
  stop(): Promise<void>
}

export interface AgentsOptions {
  readonly folder: string
  readonly relayUrl: string
  /** What the host is to take for the relay's address. */
  readonly routeFor: (host: number) => string
  /** An enrolment code of a tenant, good for all its hosts. */
  readonly codeOf: (tenant: string) => Promise<string>
  readonly tenants: readonly string[]
  readonly hosts: number
  readonly fleets: number
  readonly everyMs: number
}

/** Of any length; no name is the beginning of another. */
export const hostName = (number: number): string => `БУХ-1С-${String(number).padStart(2, '0')}`

/** Enrols the hosts; no process runs yet. Neighbours in number are of different tenants and different processes. */
export async function openAgents(options: AgentsOptions): Promise<Agents> {
  const { folder, tenants, fleets } = options
  mkdirSync(folder, { recursive: true })
  const codes = new Map<string, string>()
  for (const tenant of tenants) codes.set(tenant, await options.codeOf(tenant))
  const hosts: SimulatedHost[] = []
  for (let number = 0; number < options.hosts; number += 1) {
    const tenant = tenants[number % tenants.length] ?? ''
    const name = hostName(number)
    const seat = {
      name,
      number,
      state: join(folder, name),
      ledger: join(folder, `${name}.made`),
      everyMs: options.everyMs,
    }
    writeFileSync(seat.ledger, '')
    hosts.push({ name, number, tenant, seat, fleet: Math.floor(number / tenants.length) % fleets, isShaky: false })
    await enrol(options, seat, codes.get(tenant) ?? '')
  }

  const children: (Child<FleetOrder, FleetReport> | undefined)[] = []
  const clones = new Set<Child<FleetOrder, FleetReport>>()
  let said = ''
  let kills = 0
  const seatsOf = (fleet: number) => hosts.filter(host => host.fleet === fleet).map(({ seat }) => seat)
  const running = () => children.filter(child => child !== undefined)

  async function startFleet(name: string, seats: readonly HostSeat[]): Promise<Child<FleetOrder, FleetReport>> {
    const file = join(folder, `${name}.json`)
    writeFileSync(file, JSON.stringify({ seats }))
    return startChild('./fleet.ts', [file])
  }

  return {
    hosts,
    get kills() {
      return kills
    },
    async start(fleet) {
      children[fleet] = await startFleet(`fleet-${fleet}`, seatsOf(fleet))
    },
    async kill(fleet) {
      const child = children[fleet]
      children[fleet] = undefined
      kills += 1
      await child?.kill()
      said += child?.output() ?? ''
    },
    async tell(host, order) {
      const child = children[host.fleet]
      if (!child) throw new Error(`the process of ${host.name} does not run`)
      return child.ask(order)
    },
    async tellAll(order) {
      const reports = await Promise.all(running().map(child => child.ask(order)))
      return reports.flatMap(report => report.hosts)
    },
    restore(host, copy) {
      rmSync(host.seat.state, { recursive: true, force: true })
      cpSync(copy, host.seat.state, { recursive: true })
    },
    async startClone(host) {
      const state = `${host.seat.state}.clone`
      rmSync(state, { recursive: true, force: true })
      cpSync(host.seat.state, state, {
        recursive: true,
        filter: source => !source.startsWith(statePaths(host.seat.state).spool),
      })
      const child = await startFleet(`clone-${host.number}`, [
        { ...host.seat, state, ledger: `${host.seat.ledger}.clone` },
      ])
      clones.add(child)
      return async () => {
        clones.delete(child)
        await child.kill()
      }
    },
    ledgerOf: ({ seat }) => readLedger(readFileSync(seat.ledger, 'utf8')),
    output: () =>
      said +
      running()
        .map(child => child.output())
        .join(''),
    async stop() {
      await Promise.all([...running(), ...clones].map(child => child.kill()))
    },
  }
}

async function enrol(options: AgentsOptions, seat: HostSeat, code: string): Promise<void> {
  const machineId = `chaos-machine-${seat.number}`
  const reply = await fetch(`${options.relayUrl}/v1/enrol`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code, hostname: seat.name, os: 'Windows Server 2022', version: '0.0.0', machineId }),
    signal: AbortSignal.timeout(10_000),
  })
  if (!reply.ok) throw new Error(`${seat.name} was not enrolled: ${reply.status} ${await reply.text()}`)
  const { hostId, token, config } = enrolReply.parse(await reply.json())
  const own = { hostId, routes: [options.routeFor(seat.number)], machineId }
  writeEnrolment(statePaths(seat.state), own, config, token)
}

function readLedger(text: string): Ledger {
  const lines = text.split('\n').map(line => line.split(' '))
  const timesOf = (what: string) => lines.flatMap(([kind, atMs]) => (kind === what && atMs ? [Number(atMs)] : []))
  return { spooled: timesOf('spooled'), refused: timesOf('refused') }
}
