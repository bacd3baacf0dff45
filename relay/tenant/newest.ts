import type { Batch } from '../sinks/sink.ts'
import { RELAY_HOST } from './decode.ts'
import type { BatchItem, Item } from './row.ts'

/** A store without timestamps shows whatever it was given last: nothing older than this is given to it. */
export const NEWEST_MAX_AGE_MS = 5 * 60_000

/** The newest that is known of a host, for sinks that take only that. */
export interface Newest {
  readonly agent?: { readonly batch: Batch; readonly takenAtMs: number }
  readonly relay?: Batch
}

/**
 * When a host's newest snapshot was taken by the relay's clock: its age when it was sent does not depend on how the
 * host's clock is set.
 */
export function takenAtMs(item: BatchItem): number | undefined {
  return item.newestAtMs === null ? undefined : item.receivedAtMs - Math.max(item.sentAtMs - item.newestAtMs, 0)
}

/** Moves `latest` on by a row's items (`batches` are the same, opened) and answers the host ids that it speaks of. */
export function noteNewest(
  latest: Map<string, Newest>,
  items: readonly Item[],
  batches: readonly Batch[],
): Set<string> {
  const touched = new Set<string>()
  // The batches of agents are those of the batch items, in their order.
  const taken = items.filter(item => item.kind === 'batch').map(takenAtMs)
  for (const batch of batches) {
    const { id } = batch.host
    const known = latest.get(id)
    if (batch.source === 'relay') latest.set(id, { ...known, relay: batch })
    else {
      const at = taken.shift()
      if (at === undefined || at < (known?.agent?.takenAtMs ?? 0)) continue
      latest.set(id, { ...known, agent: { batch, takenAtMs: at } })
    }
    touched.add(id)
  }
  return touched
}

/**
 * What to send of a host now: its newest snapshot together with what the relay says of it; only the latter once the
 * host is down; a removal alone; nothing while the newest snapshot is not known, since sending only the rest would
 * take the host's metrics away.
 */
export function newestPart(known: Newest | undefined, now: number): Batch[] {
  if (!known) return []
  const { agent, relay } = known
  if (relay?.removed) return [relay]
  const fresh = agent && now - agent.takenAtMs <= NEWEST_MAX_AGE_MS ? [agent.batch] : []
  const says = relay ? [relay] : []
  if (fresh.length > 0) return [...fresh, ...says]
  const isDown = relay?.snapshots.some(({ metrics }) => metrics.onec_host_up === 0)
  return isDown || relay?.host.id === RELAY_HOST.id ? says : []
}
