import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type AdminClient, adminClient } from '../../relay/cli/client.ts'
import { freePort } from '../support/real-servers.ts'
import { openStack } from '../support/stack.ts'
import { type Agents, openAgents } from './agents.ts'
import type { Arena } from './faults.ts'
import { startRelayProxy } from './relay-proxy.ts'
import { openSinks } from './sinks.ts'

export const TENANTS = ['ООО Ромашка', 'АО Берёзка'] as const
export const HOSTS = 12
export const FLEETS = 4
/** All of the first tenant: the second one's counters have to agree to the last sample. */
export const SHAKY_HOSTS = [0, 2] as const
const EVERY_MS = 150
const DRAIN_WITHIN_MS = 8 * 60_000
/** A back-off that goes on for longer than this is cut short when all is well again, as an operator would. */
const PATIENCE_MS = 10_000

export interface OpenArena extends Arena {
  readonly admin: AdminClient
  close(): Promise<void>
}

/** Everything started, hosts enrolled and posting. `bundle`: another relay than the build's. */
export async function openArena(bundle: string | undefined): Promise<OpenArena> {
  const stack = await openStack(await freePort(), 1, bundle === undefined ? [] : ['--bundle', bundle])
  const closing: (() => Promise<unknown>)[] = [() => stack.remove()]
  const close = async () => {
    for (const end of closing.toReversed()) await end().catch(error => console.error(error))
  }
  try {
    await stack.serve()
    const token = readFileSync(join(stack.folder, 'data.private', 'operator.token'), 'utf8').trim()
    const relayUrl = `http://127.0.0.1:${stack.port}`
    const admin = adminClient({ url: relayUrl, token })
    const road = await startRelayProxy(stack.port)
    closing.push(() => road.stop())
    const sinks = await openSinks(stack.folder)
    closing.push(() => Promise.all(sinks.flatMap(sink => [sink.kill(), sink.proxy.stop()])))
    for (const [index, name] of TENANTS.entries()) {
      await admin.addTenant({ name })
      for (const sink of sinks) await admin.addDestination(name, sink.destination(index))
    }
    const agents = await openAgents({
      folder: join(stack.folder, 'agents'),
      relayUrl,
      routeFor: host => road.urlFor(host),
      codeOf: async tenant => (await admin.addEnrolment(tenant, { uses: HOSTS })).code,
      tenants: TENANTS,
      hosts: HOSTS,
      fleets: FLEETS,
      everyMs: EVERY_MS,
    })
    closing.push(() => agents.stop())
    for (let fleet = 0; fleet < FLEETS; fleet += 1) await agents.start(fleet)
    return { folder: stack.folder, stack, road, agents, sinks, admin, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** No more snapshots: waits until every spool is empty and every destination has what is for it. */
export async function drain({ agents, admin }: OpenArena): Promise<void> {
  const deadline = performance.now() + DRAIN_WITHIN_MS
  await agents.tellAll({ kind: 'quiet' })
  for (;;) {
    const left = [...(await leftInSpools(agents)), ...(await leftInOutbox(admin))]
    if (left.length === 0) return
    if (performance.now() > deadline) throw new Error(`It does not drain:\n${left.join('\n')}`)
    await wait(500)
  }
}

async function leftInSpools(agents: Agents): Promise<string[]> {
  const hosts = await agents.tellAll({ kind: 'report' })
  return hosts.flatMap(({ name, waiting, problem }) =>
    waiting === 0 ? [] : [`${name}: ${waiting} batches, ${problem}`],
  )
}

async function leftInOutbox(admin: AdminClient): Promise<string[]> {
  const left: string[] = []
  for (const tenant of TENANTS)
    for (const view of (await admin.destinations(tenant)).destinations) {
      if (view.backlogBatches === 0) continue
      left.push(`${tenant}/${view.name}: ${view.backlogBatches} batches, ${view.state} ${view.reason ?? ''}`)
      const isLong = view.nextAttemptAtMs !== null && view.nextAttemptAtMs - Date.now() > PATIENCE_MS
      if (isLong) await admin.resumeDestination(tenant, view.name)
    }
  return left
}
