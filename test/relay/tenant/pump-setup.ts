import type { Batch, SinkDefinition } from '../../../relay/sinks/sink.ts'
import { batchesOf, replaysOf } from '../../../relay/tenant/decode.ts'
import { type DestinationMemory, newDestination } from '../../../relay/tenant/destination-memory.ts'
import type { RowEntry } from '../../../relay/tenant/outbox.ts'
import { type OpenDestination, type PumpPorts, pump, type Refused } from '../../../relay/tenant/pump.ts'
import { acceptedAtMs, destinationOf, type Item, samplesOf } from '../../../relay/tenant/row.ts'
import type { Outcome } from '../../../shared/outcome.ts'
import type { Snapshot } from '../../../shared/wire.ts'
import { batchItem, idOf, NOW, snapshot, TENANT, wireBatch } from './fixtures.ts'

export const MINUTE = 60_000
export const DELIVERED: Outcome = { kind: 'delivered' }
export const RETRY: Outcome = { kind: 'retry', reason: 'HTTP 503', status: 503, mayBeStored: false }
export const LOST: Outcome = { kind: 'retry', reason: 'no answer', mayBeStored: true }
export const SUSPENDED: Outcome = { kind: 'suspended', reason: 'HTTP 401' }
export const REJECTED: Outcome = { kind: 'rejected', reason: 'HTTP 400: bad label', alreadyHeld: false }
export const TOO_OLD: Outcome = {
  kind: 'rejected',
  reason: 'HTTP 400: out of bounds',
  alreadyHeld: false,
  tooOld: true,
}
export const HELD: Outcome = { kind: 'rejected', reason: 'HTTP 400: out of order sample', alreadyHeld: true }

/** A request as tests speak of it: `h1@0 h1@60000 h2@0`, times from NOW; `up` for what the relay says, `gone`. */
const contentOf = (batches: readonly Batch[]) =>
  batches
    .flatMap(({ host, source, removed, snapshots }) =>
      removed
        ? [`${host.id} gone`]
        : source === 'relay'
          ? snapshots.map(() => `${host.id} relay`)
          : snapshots.map(({ atMs }) => `${host.id}@${atMs - NOW}`),
    )
    .join(' ')

/** A sink whose request's body says what is in it; no request when that is nothing. */
const fakeSink = (more: Partial<SinkDefinition>): SinkDefinition =>
  ({
    kind: 'fake',
    title: 'Fake',
    carries: 'metrics',
    secretFields: [],
    takes: 'all',
    encode(batches: readonly Batch[]) {
      const body = contentOf(batches)
      const samples = batches.reduce((sum, { snapshots }) => sum + snapshots.length, 0)
      return body === '' ? undefined : { method: 'POST', url: 'http://sink.example/', headers: {}, body, samples }
    },
    ...more,
  }) as unknown as SinkDefinition

/** One destination over an outbox in memory; `answer` is the other side. */
export function setUp(sinkIs: Partial<SinkDefinition> = {}, memory: Partial<DestinationMemory> = {}) {
  const rows: { entry: RowEntry; items: readonly Item[] }[] = []
  const world = {
    now: NOW,
    /** What the other side says to a request, given its content. */
    answer: (_content: string): Outcome | Promise<Outcome> => DELIVERED,
    /** What the budget does before more work is taken. */
    enforce: (): void => {},
    requests: [] as string[],
    letters: [] as string[],
    notes: [] as string[],
    opened: [] as number[],
  }
  const destination: OpenDestination = {
    id: 'd1',
    name: 'Облако',
    sink: fakeSink(sinkIs),
    settings: {},
    memory: { ...newDestination(0), ...memory },
    work: undefined,
    latest: new Map(),
    closed: false,
  }
  const names = { tenant: TENANT, host: (id: string) => ({ id, name: id, labels: {} }) }
  const ports: PumpPorts = {
    now: () => world.now,
    random: () => 0,
    enforceBudget: () => world.enforce(),
    rowsFrom: seq => rows.slice(seq).map(({ entry }) => entry),
    open: ({ seq }, { id }) => {
      world.opened.push(seq)
      const items = rows[seq]?.items ?? []
      return { items, batches: [...batchesOf(items, names), ...replaysOf(items, names, id)] }
    },
    send: async (_, { body }) => {
      world.requests.push(String(body))
      return world.answer(String(body))
    },
    probe: async () => {
      world.requests.push('probe')
      return world.answer('probe')
    },
    deadLetter: ({ batches, reason }: Refused) => {
      world.letters.push(`${contentOf(batches)}: ${reason}`)
      return 1
    },
    note: (_, kind, message) => world.notes.push(`${kind}: ${message}`),
  }
  return {
    world,
    destination,
    ports,
    /** One more row of the outbox. */
    row(...items: readonly Item[]) {
      const seq = rows.length
      const removal = items.some(({ kind }) => kind === 'removal')
      const batches = items.filter(({ kind }) => kind === 'batch').length
      const atMs = acceptedAtMs(items)
      const destinationId = destinationOf(items)
      const entry = { seq, slot: seq, atMs, batches, samples: samplesOf(items), bytes: 1_000, removal }
      rows.push({ items, entry: { ...entry, ...(destinationId !== undefined && { destinationId }) } })
    },
    run: () => pump(destination, ports),
    /** What was asked since the last call. */
    asked: () => world.requests.splice(0),
  }
}

/** A host's batch with snapshots of these times after NOW, received when the last one was taken. */
export function posted(hostId: string, ...times: readonly number[]) {
  return postedOf(
    hostId,
    times.map(at => snapshot(NOW + at)),
  )
}

export function postedOf(hostId: string, snapshots: readonly Snapshot[]) {
  const sentAtMs = Math.max(NOW, ...snapshots.map(({ atMs }) => atMs))
  const batch = wireBatch({ id: idOf(sentAtMs % 1e9), sentAtMs, snapshots: [...snapshots] })
  return batchItem({ hostId, receivedAtMs: sentAtMs }, batch)
}
