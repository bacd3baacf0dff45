import { DEFAULT_INTERVAL_MS } from '../../shared/host-config.ts'
import type { Entry } from '../../shared/wire.ts'
import { nextAlarm } from './alarm.ts'
import type { Deliveries } from './deliveries.ts'
import { evaluate, grantGrace } from './health.ts'
import { nextDeadlineOf } from './hosts.ts'
import { judge, type Notice, noticeEntry } from './incident.ts'
import type { RelayItem } from './row.ts'
import type { TenantState } from './state.ts'
import type { ObjectStorage } from './storage.ts'
import { changeMessage, type HealthChange, tickItems } from './tick.ts'

/** If the object dies while pumps run, this wakes it. */
const LEASE_MS = 30_000
/** The relay says how its hosts are as often as they post, within these. */
const TICK_MIN_MS = 5_000
const TICK_MAX_MS = 60_000
/**
 * A heartbeat that much older than it should be: the relay was away, not the hosts. A tick and this are over before even
 * a host that posts every 5 s is late.
 */
const AWAY_MS = 5_000
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
  /** Hosts changed, as part of an incident, and no tick has said so yet. */
  #isTickOwed = false

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

  /** The object was started: after an absence hosts have their grace before anybody asks how they are. */
  wake(now: number): void {
    if (this.#wasAway(now)) this.#grantGrace(now)
    this.flushNow(now)
  }

  /** The alarm rang. */
  beat(now: number): void {
    this.#armedAtMs = null
    this.#flushAtMs = undefined
    if (this.#wasAway(now)) this.#grantGrace(now)
    const { said, notice } = this.#judge(this.#evaluate(now), now)
    const isDue = now >= (this.#tickAtMs() ?? Number.POSITIVE_INFINITY)
    if (said.length > 0 || notice || isDue) this.#tick(now, said, notice)
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

  /** What the relay has to say at this moment. */
  says(now: number, changes: readonly HealthChange[] = [], own: readonly Entry[] = []): RelayItem[] {
    return tickItems(now, this.#state.memories, this.#deliveries.facts(now), changes, this.#state.counters, own)
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

  #tick(now: number, changes: readonly HealthChange[], notice: Notice | undefined): void {
    this.#state.heartbeatMs = now
    this.#isTickOwed = false
    const own = notice ? [noticeEntry(notice, now)] : []
    const items = this.says(now, changes, own)
    if (notice) {
      console.log(`Tenant ${this.#state.tenant.name}: ${notice.message}`)
      this.#state.note({ atMs: now, subject: this.#state.tenant.name, ...notice })
    }
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

  /** What of the changes is said one by one, and what once; of those in an incident a tick tells soon, not each one. */
  #judge(changes: readonly HealthChange[], now: number) {
    const nameOf = (id: string) => this.#state.host(id).name
    const { incident, ...verdict } = judge(this.#state.incident, this.#state.memories, changes, now, nameOf)
    this.#state.incident = incident
    this.#isTickOwed ||= changes.length > 0
    return verdict
  }

  #wasAway(now: number): boolean {
    const { heartbeatMs } = this.#state
    return now - heartbeatMs > this.#tickMs() + AWAY_MS || now < heartbeatMs - AWAY_MS
  }

  #grantGrace(now: number): void {
    // After a clock was set back the next tick is one tick away, not as far as the clock jumped.
    this.#state.heartbeatMs = Math.min(this.#state.heartbeatMs, now)
    for (const [hostId, host] of this.#state.memories) this.#state.memories.set(hostId, grantGrace(host, now))
    const { incident } = this.#state
    if (incident) this.#state.incident = { ...incident, sinceMs: Math.min(incident.sinceMs, now), backSinceMs: null }
  }

  /** Absent while no host ever posted: there is nothing to say. */
  #tickAtMs(): number | undefined {
    const anySeen = [...this.#state.memories.values()].some(({ lastSeenMs }) => lastSeenMs !== null)
    return anySeen ? this.#state.heartbeatMs + (this.#isTickOwed ? TICK_MIN_MS : this.#tickMs()) : undefined
  }

  #tickMs(): number {
    const intervals = [...this.#state.memories.values()].map(({ agent }) => agent?.intervalMs ?? DEFAULT_INTERVAL_MS)
    return Math.max(TICK_MIN_MS, Math.min(TICK_MAX_MS, ...intervals))
  }
}
