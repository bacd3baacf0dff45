import { setTimeout as wait } from 'node:timers/promises'
import { hostName } from './agents.ts'
import { drain, type OpenArena, openArena } from './arena.ts'
import type { Sum } from './audit.ts'
import { enactAll } from './faults.ts'
import { type Fault, ROUND_MS } from './plan.ts'
import { gatherLetters, type Letters, type Poisoned, settleAccounts } from './settle.ts'

export interface Result {
  /** Snapshots that the relay took. */
  readonly accepted?: number
  /** By sink, both tenants together; of the Pushgateway the hosts whose newest it shows. */
  readonly destinations?: Readonly<Record<string, Sum & { readonly reordered: number }>>
  readonly unaccounted?: number
  readonly reordered?: number
  readonly deadLetters: readonly object[]
  readonly posts: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<string, number>>
  /** By sink and kind, how many requests met a fault. */
  readonly met: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly seconds: number
  readonly failures: readonly string[]
  readonly relayOutput: string
}

/** All rounds of a plan and the account. Does not throw: what goes wrong is among the failures. */
export async function runChaos(
  plan: readonly Fault[][],
  bundle: string | undefined,
  stop: AbortSignal,
): Promise<Result> {
  const startedAtMs = performance.now()
  const arena = await openArena(bundle)
  const letters: Letters = new Map()
  try {
    const account = await Promise.race([runRounds(arena, plan, letters), stopped(stop)]).catch(error => ({
      faults: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
    }))
    const { faults: failures, ...sums } = account
    return {
      ...sums,
      deadLetters: [...letters.values()],
      posts: arena.road.counts,
      faults: countKinds(plan),
      met: Object.fromEntries(arena.sinks.map(({ name, proxy }) => [name, proxy.met])),
      seconds: Math.round((performance.now() - startedAtMs) / 1000),
      failures,
      relayOutput: arena.stack.relayOutput(),
    }
  } finally {
    await arena.close()
  }
}

function stopped(stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) => stop.addEventListener('abort', () => reject(stop.reason)))
}

async function runRounds(arena: OpenArena, plan: readonly Fault[][], letters: Letters) {
  for (const [index, faults] of plan.entries()) {
    const text = faults.map(describe).join(', ')
    console.log(`round ${index + 1}/${plan.length}: ${text} (accepted batches so far: ${arena.road.counts.accepted})`)
    await Promise.all([wait(ROUND_MS), enactAll(faults, arena)])
    await gatherLetters(arena, letters)
  }
  await drain(arena)
  const account = await settleAccounts(arena, letters, poisonedBy(plan))
  const sums = Object.values(account.destinations)
  const total = (key: 'unaccounted' | 'reordered') => sums.reduce((sum, one) => sum + one[key], 0)
  return { ...account, unaccounted: total('unaccounted'), reordered: total('reordered') }
}

function describe({ kind, startMs, forMs, ...aim }: Fault): string {
  const at = Object.values(aim).join('/')
  return `${kind}${at ? ` ${at}` : ''} ${startMs}+${forMs} ms`
}

function poisonedBy(plan: readonly Fault[][]): Poisoned {
  const places = plan
    .flat()
    .flatMap(fault => (fault.kind === 'sink-400-host' ? [`${fault.sink} ${hostName(fault.host)}`] : []))
  return (destination, host) => places.includes(`${destination} ${host}`)
}

function countKinds(plan: readonly Fault[][]): Record<string, number> {
  const byKind = Map.groupBy(plan.flat(), ({ kind }) => kind)
  return Object.fromEntries([...byKind].map(([kind, faults]) => [kind, faults.length]))
}
