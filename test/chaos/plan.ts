import { seededRandom } from '../support/seeded-random.ts'

export const STAND_INS = ['remote-write', 'influxdb', 'loki', 'pushgateway'] as const
/** VictoriaMetrics is never killed: it keeps the last seconds in memory, and says so. */
const KILLABLE = [...STAND_INS, 'prometheus'] as const
export const SINKS = [...KILLABLE, 'victoria-metrics'] as const
export type SinkName = (typeof SINKS)[number]

/** What the proxy before a sink does. */
export type SinkTrouble =
  | {
      readonly kind: 'sink-hang' | 'sink-429' | 'sink-500' | 'sink-drop' | 'sink-lost-reply'
      readonly sink: SinkName
    }
  | { readonly kind: 'sink-400-host'; readonly sink: SinkName; readonly host: number }

/** What befalls one host. */
export interface HostTrouble {
  readonly kind: 'full-disk' | 'reverted-state' | 'cloned-host'
  readonly host: number
}

/** One fault; what it is aimed at, if it has a choice, is in its fields. `startMs` counts from the round's begin. */
export type Fault = { readonly startMs: number; readonly forMs: number } & (
  | { readonly kind: 'relay-kill' | 'relay-away' | 'lost-ack' | 'page-before' | 'page-after' }
  | { readonly kind: 'agent-kill'; readonly fleet: number }
  | { readonly kind: 'sink-kill'; readonly sink: SinkName }
  | HostTrouble
  | SinkTrouble
)
export type FaultKind = Fault['kind']

export interface PlanOptions {
  readonly seed: number
  readonly rounds: number
  readonly hosts: number
  readonly fleets: number
  /** Hosts that may be reverted or cloned; of the others every snapshot counts to the last. */
  readonly shakyHosts: readonly [number, ...number[]]
  /** Every round kills the relay this often, whatever else. */
  readonly relayKills?: number
}

/** Each kind once before any comes again. */
const DECK: readonly FaultKind[] = [
  'relay-kill',
  'agent-kill',
  'sink-kill',
  'sink-hang',
  'sink-429',
  'sink-500',
  'sink-400-host',
  'sink-drop',
  'sink-lost-reply',
  'lost-ack',
  'page-before',
  'page-after',
  'full-disk',
  'reverted-state',
  'cloned-host',
]

export const ROUND_MS = 16_000
const LAST_START_MS = 9_000
/** Longer than any deadline of a host: what is said of it afterwards must not be that it was down. */
const AWAY_MS = 95_000

/** The faults of each round, the same for the same options. */
export function planRounds(options: PlanOptions): Fault[][] {
  const random = seededRandom(options.seed)
  const below = (count: number) => Math.floor(random() * count)
  const pick = <T>(list: readonly [T, ...T[]]): T => list[below(list.length)] ?? list[0]
  let deck: FaultKind[] = []

  function draw(): FaultKind {
    if (deck.length === 0) deck = [...DECK]
    return deck.splice(below(deck.length), 1)[0] ?? 'relay-kill'
  }

  function aim(kind: FaultKind): Fault {
    const when = { startMs: below(LAST_START_MS), forMs: 1_000 + below(4_000) }
    switch (kind) {
      case 'agent-kill':
        return { ...when, kind, fleet: below(options.fleets) }
      case 'full-disk':
        return { ...when, kind, host: below(options.hosts) }
      case 'reverted-state':
      case 'cloned-host':
        return { ...when, kind, host: pick(options.shakyHosts) }
      case 'sink-kill':
        return { ...when, kind, sink: pick(KILLABLE) }
      case 'sink-hang':
      case 'sink-429':
      case 'sink-500':
      case 'sink-drop':
      case 'sink-lost-reply':
        return { ...when, kind, sink: pick(SINKS) }
      case 'sink-400-host':
        // Loki never refuses a request for one stream: it stores the others and answers 400.
        return {
          ...when,
          kind,
          sink: pick(SINKS.filter(sink => sink !== 'loki') as [SinkName]),
          host: below(options.hosts),
        }
      default:
        return { ...when, kind }
    }
  }

  return Array.from({ length: options.rounds }, (_, round) => {
    // A relay that is gone for long is a round of its own, once in a long run.
    if (options.rounds >= 10 && round === Math.floor(options.rounds / 2))
      return [{ kind: 'relay-away', startMs: 500, forMs: AWAY_MS }]
    const kinds = Array.from({ length: 2 + below(2) }, draw)
    const extra = options.relayKills ?? (random() < 0.4 ? 1 : 0)
    return withoutClashes([...kinds, ...Array.from({ length: extra }, () => 'relay-kill' as const)].map(aim))
  })
}

/** One fault at a time for the relay, for the road to it, for each sink; one agent's at a time. */
function withoutClashes(faults: readonly Fault[]): Fault[] {
  const busyUntil = new Map<string, number>()
  return faults
    .toSorted((a, b) => a.startMs - b.startMs)
    .map(fault => {
      const place = placeOf(fault)
      const startMs = Math.max(fault.startMs, (busyUntil.get(place) ?? -500) + 500)
      busyUntil.set(place, startMs + fault.forMs)
      return { ...fault, startMs }
    })
}

/** What a fault works on: a second one there waits until the first is put right. */
export function placeOf(fault: Fault): string {
  if ('sink' in fault) return fault.sink
  if ('host' in fault || 'fleet' in fault) return 'agents'
  return fault.kind.startsWith('relay') ? 'relay' : 'road'
}
