import type { DestinationView, EventView, HostDetail } from '../../relay/tenant/rpc.ts'
import type { SimulatedHost } from './agents.ts'
import { type OpenArena, TENANTS } from './arena.ts'
import { addSums, auditCounters, auditHost, auditSpool, emptySum, type Letter, type Sum } from './audit.ts'
import type { SinkReport } from './sink-orders.ts'
import { SAMPLES } from './snapshots.ts'

/** Dead letters by tenant and number, gathered while it ran: the relay keeps the newest thousand. */
export type Letters = Map<string, Letter & { readonly tenant: string; readonly destination: string }>

export interface Account {
  /** By sink, both tenants together. */
  readonly destinations: Readonly<Record<string, Sum & { readonly reordered: number }>>
  readonly accepted: number
  readonly faults: readonly string[]
}

/** Which hosts the plan had refused where: of nobody else, and nowhere else, may there be a dead letter. */
export type Poisoned = (destination: string, host: string) => boolean

const MOST_LISTED = 1_000
/** An event that says "down" of a host that tried to post this recently blames it for the relay's absence. */
const SILENT_MS = 60_000

export async function gatherLetters({ admin }: OpenArena, letters: Letters): Promise<void> {
  for (const tenant of TENANTS)
    for (const letter of (await admin.deadLetters(tenant, MOST_LISTED, {})).deadLetters)
      letters.set(`${tenant} ${letter.id}`, { ...letter, tenant })
}

interface Tenant {
  readonly name: string
  readonly hosts: readonly SimulatedHost[]
  readonly views: readonly DestinationView[]
  readonly details: ReadonlyMap<string, HostDetail>
  readonly events: readonly EventView[]
}

/** Accounts for everything, once all is drained. */
export async function settleAccounts(arena: OpenArena, letters: Letters, poisoned: Poisoned): Promise<Account> {
  const { agents, road, sinks } = arena
  await gatherLetters(arena, letters)
  const tenants = await Promise.all(TENANTS.map(name => readTenant(arena, name)))
  const faults: string[] = []
  const destinations: Record<string, Sum & { reordered: number }> = {}
  for (const sink of sinks) {
    const report = await sink.report(agents.hosts)
    for (const defect of new Set(report.defects)) faults.push(`${sink.name}: defect: ${defect}`)
    if (sink.name === 'pushgateway') {
      const wrong = auditPage(arena, report.page)
      faults.push(...wrong)
      const hosts = agents.hosts.length
      const sum = { ...emptySum, accepted: hosts, held: hosts - wrong.length, unaccounted: wrong.length }
      destinations[sink.name] = { ...sum, reordered: 0 }
    } else {
      const sums = tenants.map(tenant => auditDestination(arena, tenant, sink.name, report, letters, faults))
      const reordered = report.reordered.filter(({ name }) => !agents.hosts.find(host => host.name === name)?.isShaky)
      for (const { tenant, name, atMs } of reordered)
        faults.push(`${sink.name}: ${tenant}/${name} out of order at ${atMs}`)
      destinations[sink.name] = { ...sums.reduce(addSums), reordered: reordered.length }
    }
  }
  for (const host of agents.hosts) {
    const { fates } = road.roadOf(host.number)
    const { spooled, refused } = agents.ledgerOf(host)
    if (!host.isShaky) faults.push(...auditSpool(`spool of ${host.name}`, spooled, refused, fates))
  }
  for (const tenant of tenants) faults.push(...auditEvents(arena, tenant))
  // A host that went back in time may be refused for it when both its pasts are in one flush.
  const isShaky = (name: string) => agents.hosts.find(host => host.name === name)?.isShaky ?? false
  for (const { tenant, destination, host, reason } of letters.values())
    if (!poisoned(destination, host) && !isShaky(host))
      faults.push(`${destination}: dead letter of ${tenant}/${host}: ${reason}`)
  const fates = agents.hosts.flatMap(host => [...road.roadOf(host.number).fates.values()])
  return { destinations, accepted: fates.filter(fate => fate === 'accepted').length, faults }
}

async function readTenant({ admin, agents }: OpenArena, name: string): Promise<Tenant> {
  const hosts = agents.hosts.filter(({ tenant }) => tenant === name)
  const details = new Map<string, HostDetail>()
  for (const host of hosts) details.set(host.name, await admin.host(name, host.name))
  const { destinations: views } = await admin.destinations(name)
  const { events } = await admin.events(name, MOST_LISTED)
  return { name, hosts, views, details, events }
}

/** Every host of a tenant at one destination, and the destination's counter. */
function auditDestination(
  { road }: OpenArena,
  tenant: Tenant,
  destination: string,
  report: SinkReport,
  letters: Letters,
  faults: string[],
): Sum {
  const view = tenant.views.find(({ name }) => name === destination)
  const buried = [...letters.values()].filter(one => one.tenant === tenant.name && one.destination === destination)
  const samplesEach = destination === 'loki' ? 1 : SAMPLES
  let leftOutOfAll = 0
  let sum = emptySum
  for (const host of tenant.hosts) {
    const place = `${destination}: ${tenant.name}/${host.name}`
    const held = report.held.find(one => one.tenant === tenant.name && one.name === host.name)
    const leftOutSamples = leftOutOf(tenant, host, destination)
    leftOutOfAll += leftOutSamples
    const verdict = auditHost({
      place,
      fates: road.roadOf(host.number).fates,
      held: new Set(held?.whole),
      letters: buried.filter(letter => letter.host.split(', ').includes(host.name)),
      leftOutSamples,
      isShaky: host.isShaky,
      samplesEach,
    })
    sum = addSums(sum, verdict.sum)
    faults.push(...verdict.faults, ...(held?.faults ?? []).slice(0, 5).map(fault => `${place}: ${fault}`))
  }
  const dropped = view?.dropped ?? { budget: 0, age: 0, order: 0 }
  // Nothing of the plan makes a store take a part of a request.
  if (view?.partialRequests)
    faults.push(`${destination}: ${tenant.name}: ${view.partialRequests} requests taken in part`)
  faults.push(...auditCounters(`${destination}: ${tenant.name}`, dropped, leftOutOfAll))
  return sum
}

function leftOutOf({ details }: Tenant, host: SimulatedHost, destination: string): number {
  const leftOut = details.get(host.name)?.leftOut.filter(one => one.destination === destination) ?? []
  return leftOut.reduce((sum, { ageSamples, orderSamples }) => sum + ageSamples + orderSamples, 0)
}

/** The Pushgateway shows the newest snapshot of every host, and no other. */
function auditPage({ agents, road }: OpenArena, page: string): string[] {
  return agents.hosts.flatMap(({ name, tenant, number }) => {
    const posted = [...road.roadOf(number).fates].filter(([, fate]) => fate !== 'refused').map(([atMs]) => atMs)
    const newest = Math.max(...posted)
    const shown = page
      .split('\n')
      .filter(line => line.startsWith('onec_timestamp_unix{'))
      .filter(line => line.includes(`instance="${name}"`) && line.includes(`tenant="${tenant}"`))
      .map(line => Math.round(Number(line.split(' ').at(-1)) * 1000))
    if (shown.length === 1 && shown[0] === newest) return []
    return [`pushgateway: ${tenant}/${name} shows ${shown.join(', ') || 'nothing'}, its newest is ${newest}`]
  })
}

function auditEvents({ agents, road }: OpenArena, { name: tenant, events }: Tenant): string[] {
  return events.flatMap(({ kind, subject, atMs }) => {
    if (kind !== 'host_down') return []
    const host = agents.hosts.find(({ name }) => name === subject)
    const tried = host ? road.roadOf(host.number).triedAtMs : []
    const last = tried.findLast(triedAtMs => triedAtMs <= atMs)
    if (last === undefined || atMs - last > SILENT_MS) return []
    return [`${tenant}/${subject} was called down at ${atMs}, and had tried to post at ${last}`]
  })
}
