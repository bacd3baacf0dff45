import type { Fate } from './relay-proxy.ts'

/** A time range of a host that a destination refused for good. */
export interface Letter {
  readonly id: number
  readonly host: string
  readonly fromMs: number | null
  readonly toMs: number | null
  readonly samples: number
  /** Why, in the store's words. */
  readonly reason: string
}

/** All that is known of one host at one destination. */
export interface Account {
  readonly place: string
  readonly fates: ReadonlyMap<number, Fate>
  readonly held: ReadonlySet<number>
  readonly letters: readonly Letter[]
  /** Samples of this host that the relay says it left out here. */
  readonly leftOutSamples: number
  /** The host itself went back in time: the relay may have counted more than is missing. */
  readonly isShaky: boolean
  /** What one snapshot counts as here. */
  readonly samplesEach: number
}

/** What became of the snapshots that the relay took. */
export interface Sum {
  readonly accepted: number
  readonly held: number
  readonly deadLettered: number
  readonly dropped: number
  readonly unaccounted: number
}

export interface Verdict {
  readonly sum: Sum
  /** In words, each with the place. */
  readonly faults: readonly string[]
}

const NAMED = 5

/** Accounts for every snapshot of one host at one destination. */
export function auditHost(account: Account): Verdict {
  const { place, fates, held, letters, isShaky, leftOutSamples, samplesEach } = account
  const accepted = [...fates].flatMap(([atMs, fate]) => (fate === 'accepted' ? [atMs] : []))
  const absent = accepted.filter(atMs => !held.has(atMs))
  const buried = absent.filter(atMs => letters.some(letter => covers(letter, atMs)))
  const missing = absent.filter(atMs => !buried.includes(atMs))
  const allowed = Math.floor(leftOutSamples / samplesEach)
  const unaccounted = Math.max(missing.length - allowed, 0)
  const faults: string[] = []
  if (unaccounted > 0)
    faults.push(`${place}: ${unaccounted} of ${accepted.length} accepted snapshots are nowhere (${someOf(missing)})`)
  // Nothing that a host posts in order, and within every budget, is ever left out.
  if (!isShaky && leftOutSamples > 0)
    faults.push(`${place}: ${leftOutSamples} samples counted as left out, ${missing.length * samplesEach} are missing`)
  const letterSamples = letters.reduce((sum, { samples }) => sum + samples, 0)
  if (buried.length * samplesEach > letterSamples)
    faults.push(`${place}: ${buried.length} snapshots are dead letters, which say ${letterSamples} samples`)
  const foreign = [...held].filter(atMs => fates.get(atMs) === undefined || fates.get(atMs) === 'refused')
  if (foreign.length > 0)
    faults.push(`${place}: ${foreign.length} snapshots are held that the relay never took (${someOf(foreign)})`)
  const dropped = missing.length - unaccounted
  return {
    sum: {
      accepted: accepted.length,
      held: accepted.length - absent.length,
      deadLettered: buried.length,
      dropped,
      unaccounted,
    },
    faults,
  }
}

export const emptySum: Sum = { accepted: 0, held: 0, deadLettered: 0, dropped: 0, unaccounted: 0 }

export function addSums(a: Sum, b: Sum): Sum {
  return {
    accepted: a.accepted + b.accepted,
    held: a.held + b.held,
    deadLettered: a.deadLettered + b.deadLettered,
    dropped: a.dropped + b.dropped,
    unaccounted: a.unaccounted + b.unaccounted,
  }
}

/** What one destination counted as dropped of one tenant, in samples. */
export interface Dropped {
  readonly budget: number
  readonly age: number
  readonly order: number
}

/** The destination's own counters say what those of its hosts do, and no budget of the plan was ever reached. */
export function auditCounters(place: string, dropped: Dropped, leftOutSamples: number): string[] {
  const wrong: string[] = []
  if (dropped.budget !== 0) wrong.push(`${place}: ${dropped.budget} samples were dropped for a budget`)
  if (dropped.age + dropped.order !== leftOutSamples)
    wrong.push(`${place}: ${dropped.age} + ${dropped.order} samples left out, its hosts say ${leftOutSamples}`)
  return wrong
}

/** What a host's spool took must have been taken by the relay, and what it refused must not have been sent. */
export function auditSpool(
  place: string,
  spooled: readonly number[],
  refused: readonly number[],
  fates: ReadonlyMap<number, Fate>,
): string[] {
  const lost = spooled.filter(atMs => fates.get(atMs) !== 'accepted')
  const sent = refused.filter(atMs => fates.has(atMs))
  return [
    ...(lost.length > 0
      ? [`${place}: ${lost.length} snapshots were spooled and never accepted (${someOf(lost)})`]
      : []),
    ...(sent.length > 0
      ? [`${place}: ${sent.length} snapshots that its disk refused were posted (${someOf(sent)})`]
      : []),
  ]
}

function covers({ fromMs, toMs }: Letter, atMs: number): boolean {
  return fromMs !== null && toMs !== null && fromMs <= atMs && atMs <= toMs
}

const someOf = (times: readonly number[]) =>
  times.slice(0, NAMED).join(', ') + (times.length > NAMED ? `, and ${times.length - NAMED} more` : '')
