import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decodeCheckpoint, encodeCheckpoint } from '../../relay/tenant/checkpoint.ts'
import { decodeRow, encodeRow, type Item } from '../../relay/tenant/row.ts'
import type { EventView } from '../../relay/tenant/rpc.ts'
import { type Running, until } from '../support/process.ts'
import { freePort } from '../support/real-servers.ts'
import { openStack, type Stack } from '../support/stack.ts'

/**
 * The relay is killed and stays away longer than any host's deadline: nobody is called late or down for it. A host is
 * down after 90 s at least, so the time is not waited for: what the relay left on its disk is made ten minutes older.
 */
const TENANT = 'ООО Ромашка'
const HOSTS = ['БУХ-1С', 'СКЛАД', 'КАССА']
const AWAY_MS = 10 * 60_000

let stack: Stack
const agents: Running[] = []

beforeAll(async () => {
  stack = await openStack(await freePort(), 5)
  await stack.serve()
  await stack.relay('tenant', 'add', TENANT)
  for (const host of HOSTS) await stack.enrol(host, TENANT)
}, 60_000)

afterAll(async () => {
  await Promise.all(agents.map(agent => agent.end()))
  await stack?.remove()
}, 30_000)

const events = async () =>
  (await stack.json<{ events: EventView[] }>('event', 'list', TENANT)).events.map(
    ({ kind, subject }) => `${kind} ${subject}`,
  )
const seenSince = async (atMs: number) => {
  const hosts = await stack.hosts(TENANT)
  return hosts.length === HOSTS.length && hosts.every(({ lastSeenMs }) => (lastSeenMs ?? 0) > atMs)
}

/** Everything that the dead relay wrote down of its hosts, `byMs` earlier; answers how many tenants there were. */
async function makeOlder(folder: string, byMs: number): Promise<number> {
  const files = await readdir(folder, { recursive: true })
  const tenants = files.filter(path => path.includes('onec-relay-tenant') && /[0-9a-f]{64}\.sqlite$/.test(path))
  for (const path of tenants) {
    const database = new DatabaseSync(join(folder, path))
    const [stored] = database.prepare('SELECT body FROM checkpoint').all()
    const checkpoint = decodeCheckpoint(stored?.body as Uint8Array)
    const earlier = (atMs: number | null) => (atMs === null ? null : atMs - byMs)
    const hosts = new Map(
      [...checkpoint.hosts].map(([id, host]) => [
        id,
        {
          ...host,
          stateSinceMs: host.stateSinceMs - byMs,
          lastSeenMs: earlier(host.lastSeenMs),
          dueAtMs: earlier(host.dueAtMs),
        },
      ]),
    )
    const older = { ...checkpoint, heartbeatMs: checkpoint.heartbeatMs - byMs, hosts }
    database.prepare('UPDATE checkpoint SET body = ?').run(encodeCheckpoint(older))
    for (const { slot, body } of database.prepare('SELECT slot, body FROM outbox').all())
      database.prepare('UPDATE outbox SET body = ? WHERE slot = ?').run(olderRow(body as Uint8Array, byMs), slot ?? 0)
    database.close()
  }
  return tenants.length
}

function olderRow(body: Uint8Array, byMs: number): Uint8Array {
  const older = (item: Item) =>
    item.kind === 'batch' ? { ...item, receivedAtMs: item.receivedAtMs - byMs, dueAtMs: item.dueAtMs - byMs } : item
  return encodeRow(decodeRow(body).map(older))
}

test('after the relay was away for ten minutes no host is called late or down', async () => {
  for (const host of HOSTS) agents.push(stack.agent(host, 'run'))
  expect(await until(() => seenSince(0), 30_000, 500), stack.relayOutput()).toBe(true)
  await until(async () => (await events()).filter(event => event.startsWith('host_up')).length === HOSTS.length, 30_000)
  const before = await events()

  await stack.killRelay()
  expect(await makeOlder(join(stack.folder, 'data'), AWAY_MS)).toBe(1)
  const backAtMs = Date.now()
  await stack.serve()
  const found = await stack.hosts(TENANT)
  expect(found.map(({ state }) => state)).toEqual(['up', 'up', 'up'])
  expect(await until(() => seenSince(backAtMs), 60_000, 500), stack.relayOutput()).toBe(true)
  // Two ticks more, for what a late alarm would say.
  const settledAtMs = Date.now() + 10_000
  expect(await until(() => seenSince(settledAtMs), 60_000, 500), stack.relayOutput()).toBe(true)
  expect(await events()).toEqual(before)
}, 240_000)
