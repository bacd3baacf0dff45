import { DEFAULT_INTERVAL_MS } from '../../shared/host-config.ts'
import { nextAlarm } from './alarm.ts'
import type { Deliveries } from './deliveries.ts'
import { evaluate, grantGrace } from './health.ts'
import { nextDeadlineOf } from './hosts.ts'
import type { TenantState } from './state.ts'
import type { ObjectStorage } from './storage.ts'
import { changeMessage, type HealthChange, tickItems } from './tick.ts'

/** If the object dies while pumps run, this wakes it. */
const LEASE_MS = 30_000
/** The relay says how its hosts are as often as they post, within these. */
const TICK_MIN_MS = 5_000
const TICK_MAX_MS = 60_000
/** A heartbeat that much older than it should be: the relay was away, not the hosts. */
const AWAY_MS = 60_000
/** Between the checkpoints of pumps that end while another still runs. */
const CHECKPOINT_EVERY_MS = 1_000

/** What happens by itself: flushes, ticks, deadlines, back-offs. One alarm serves them all. */
export class Pulse {
  readonly #storage: ObjectStorage
  readonly #state: TenantState
  readonly #deliveries: Deliveries
  readonly #lingerMs: number
  #armedAtMs: number | null
  #flushAtMs: number | undefined
  #checkpointAtMs = 0

  constructor(
    storage: ObjectStorage,
    state: TenantState,
    deliveries: Deliveries,
    options: { readonly lingerMs: number; readonly armedAtMs: number | null },
  ) {
    this.#storage = storage
    this.#state = state
    this.#deliveries = deliveries
    this.#lingerMs = options.lingerMs
    this.#armedAtMs = options.armedAtMs
  }

  /** Rows were stored: they wait for more, so that hosts share requests. */
  flushSoon(now: number): void {
    // The earlier one, not the first: a clock that was set back must not leave a flush far ahead.
    this.#flushAtMs = Math.min(this.#flushAtMs ?? Number.POSITIVE_INFINITY, now + this.#lingerMs)
    this.rearm(now)
  }

  flushNow(now: number): void {
    this.#flushAtMs = now
    this.rearm(now)
  }

  /** The alarm rang. */
  beat(now: number): void {
    this.#armedAtMs = null
    this.#flushAtMs = undefined
    if (this.#wasAway(now)) this.#grantGrace(now)
    const changes = this.#evaluate(now)
    if (changes.length > 0 || now >= (this.#tickAtMs() ?? Number.POSITIVE_INFINITY)) this.#tick(now, changes)
    this.#deliveries.enforceBudgets(now)
    this.#deliveries.startPumps()
    this.rearm(now)
  }

  /** A pump ended: what it settled is written, at once when it was the last one. */
  pumpEnded(now: number): void {
    if (!this.#deliveries.isPumping || now - this.#checkpointAtMs >= CHECKPOINT_EVERY_MS) {
      this.#checkpointAtMs = now
      this.#state.checkpoint()
    }
    this.rearm(now)
  }

  rearm(now: number): void {
    const wishes = {
      flushAtMs: this.#flushAtMs,
      tickAtMs: this.#tickAtMs(),
      deadlineAtMs: nextDeadlineOf(this.#state.memories.values()),
      retryAtMs: this.#deliveries.nextRetryAtMs(),
      leaseAtMs: this.#deliveries.isPumping ? now + LEASE_MS : undefined,
    }
    const at = nextAlarm(wishes, this.#armedAtMs, now)
    if (at === undefined) return
    this.#armedAtMs = at
    void this.#storage.setAlarm(at)
  }

  #tick(now: number, changes: readonly HealthChange[]): void {
    this.#state.heartbeatMs = now
    const items = tickItems(now, this.#state.memories, this.#deliveries.facts(now), changes)
    for (const change of changes) {
      const message = changeMessage(change)
      console.log(message)
      this.#state.note({ atMs: now, kind: `host_${change.to}`, subject: change.name, message })
    }
    this.#checkpointAtMs = now
    this.#state.checkpoint(() => {
      if (this.#deliveries.records.length > 0) for (const item of items) this.#state.outbox.append([item])
    })
  }

  #evaluate(now: number): HealthChange[] {
    const changes: HealthChange[] = []
    for (const [hostId, before] of this.#state.memories) {
      const { host, changed } = evaluate(before, now)
      if (!changed) continue
      this.#state.memories.set(hostId, host)
      const { name } = this.#state.host(hostId)
      changes.push({ hostId, name, from: before.state, to: host.state, lastSeenMs: host.lastSeenMs })
    }
    return changes
  }

  #wasAway(now: number): boolean {
    const { heartbeatMs } = this.#state
    return now - heartbeatMs > this.#tickMs() + AWAY_MS || now < heartbeatMs - AWAY_MS
  }

  #grantGrace(now: number): void {
    // After a clock was set back the next tick is one tick away, not as far as the clock jumped.
    this.#state.heartbeatMs = Math.min(this.#state.heartbeatMs, now)
    for (const [hostId, host] of this.#state.memories) this.#state.memories.set(hostId, grantGrace(host, now))
  }

  /** Absent while no host ever posted: there is nothing to say. */
  #tickAtMs(): number | undefined {
    const anySeen = [...this.#state.memories.values()].some(({ lastSeenMs }) => lastSeenMs !== null)
    return anySeen ? this.#state.heartbeatMs + this.#tickMs() : undefined
  }

  #tickMs(): number {
    const intervals = [...this.#state.memories.values()].map(({ agent }) => agent?.intervalMs ?? DEFAULT_INTERVAL_MS)
    return Math.max(TICK_MIN_MS, Math.min(TICK_MAX_MS, ...intervals))
  }
}
