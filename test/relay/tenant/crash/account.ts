import { REFUSAL } from './far-side.ts'
import type { Acked, World } from './world.ts'

/** Ids that are looked for per host; the relay remembers 16, some of batches that were never acknowledged. */
const RESENT = 8

/** What is wrong with the relay now; empty when every acknowledged batch is accounted for at every destination. */
export function faultsOf(world: World): string[] {
  return [...outboxFaults(world), ...idFaults(world), ...deliveryFaults(world)]
}

function outboxFaults({ object: { state } }: World): string[] {
  const rows = state.outbox.from(0)
  const faults: string[] = []
  const slots = new Set(rows.map(({ slot }) => slot))
  if (slots.size !== rows.length) faults.push('two rows are in one slot')
  if (rows.some(({ seq }, index) => seq !== state.outbox.head - rows.length + index)) faults.push('rows are missing')
  for (const [id, { cursor }] of state.destinations) {
    if (cursor > state.outbox.head) faults.push(`cursor of ${id} is beyond the outbox`)
    if (cursor < (rows[0]?.seq ?? state.outbox.head)) faults.push(`cursor of ${id} is before the outbox`)
  }
  return faults
}

/** A batch that is sent again must be known. */
function idFaults({ object: { state }, acked, clock }: World): string[] {
  return [...state.hosts.values()]
    .filter(({ removedAtMs }) => removedAtMs === null)
    .flatMap(({ id, name }) => {
      const known = new Set(state.memory(id, clock.now).ids)
      const newest = acked.filter(({ item }) => item.hostId === id).slice(-RESENT)
      return newest.filter(({ item }) => !known.has(item.id)).map(({ item }) => `${name} would send ${item.id} twice`)
    })
}

/**
 * In the outbox still, or held, or dead-lettered for the poison in it or around it (the search for it is bounded), or
 * dropped by a small budget and counted. A dead letter for any other reason is one of order, and a fault.
 */
function deliveryFaults({ object: { state, deliveries }, acked, farSides, counts }: World): string[] {
  const letters = state.letters.list({}, 1_000)
  counts.letters = letters.length
  return deliveries.records.flatMap(record => {
    const waiting = idsFrom(state, deliveries.memory(record.id).cursor)
    const held = farSides.get(record.id)?.held() ?? new Set()
    const own = letters.filter(({ destination }) => destination === record.name)
    const isLettered = ({ host, atMs }: Acked) =>
      own.some(letter => letter.host === host && (letter.fromMs ?? 0) <= atMs && atMs <= (letter.toMs ?? 0))
    const lost = acked.filter(batch => {
      const { item, host, atMs, destinations } = batch
      if (!destinations.has(record.id) || waiting.has(item.id)) return false
      return !held.has(`${host} ${atMs}`) && !isLettered(batch)
    })
    const { droppedSamples } = deliveries.memory(record.id)
    counts.dropped += droppedSamples
    const mayDrop = record.budget.bytes === undefined ? 0 : droppedSamples
    const faults = lost.length > mayDrop ? [`${record.name} lost ${lost.map(({ item }) => item.id).join(' ')}`] : []
    const strange = own.filter(({ reason }) => !reason.includes(REFUSAL))
    faults.push(...strange.map(({ host, reason }) => `${record.name} refused ${host}: ${reason}`))
    if (mayDrop === 0 && droppedSamples > 0) faults.push(`${record.name} dropped ${droppedSamples} samples`)
    return faults
  })
}

function idsFrom(state: World['object']['state'], cursor: number): Set<string> {
  const items = state.outbox.from(cursor).flatMap(row => state.outbox.read(row))
  return new Set(items.flatMap(item => (item.kind === 'batch' ? [item.id] : [])))
}
