import { DEFAULT_INTERVAL_MS } from '../../shared/host-config.ts'
import type { Entry } from '../../shared/wire.ts'
import { nextAlarm } from './alarm.ts'
import type { Deliveries } from './deliveries.ts'
import { evaluate, grantGrace } from './health.ts'
import { nextDeadlineOf } from './hosts.ts'
import { judge, type Notice, noticeEntry } from './incident.ts'
import type { RelayItem } from './row.ts'
import { type Window, windowEndMs, windowWidthMs } from './send-window.ts'
import type { TenantState } from './state.ts'
import type { ObjectStorage } from './storage.ts'
import { changeMessage, type HealthChange, tickItems } from './tick.ts'

/** The relay says how its hosts are as often as they post, within these. */
const TICK_MIN_MS = 5_000
const TICK_MAX_MS = 60_000
/** A post that comes so long before its host's window still waits for the tick that ends it. */
const EARLY_MS = 1_000
/** If the object dies while pumps run, this wakes it. The tick is armed anyway: one that is later costs nothing. */
const LEASE_MS = TICK_MAX_MS
/** A tick that is so much too late: the relay was away, not the hosts. Over before a host that posts every 5 s is late. */
const AWAY_MS = 5_000
/** A pump that ends leaves the checkpoint to the others of its flush that still run, for so long. */
const UNSAVED_AT_MOST_MS = 5_000

/** What happens by itself: flushes, ticks, deadlines, back-offs. One alarm serves them all. */
export class Pulse {
  readonly #storage: ObjectStorage
  readonly #state: TenantState
  readonly #deliveries: Deliveries
  readonly #lingerMs: number
  #armedAtMs: number | null
  #flushAtMs: number | undefined
  /** Hosts changed, as part of an incident, and no tick has said so yet. */
  #isTickOwed = false
  /** Since when memory is ahead of the checkpoint by what pumps settled or a tick said. */
  #unsavedSinceMs: number | undefined

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

  /**
   * The object started: after an absence hosts have their grace before anybody asks how they are. Alarms are kept apart
   * from the data: after a crash one may be missing.
   */
  wake(now: number): void {
    if (this.#wasAway(now)) this.#grantGrace(now)
    if (this.#deliveries.isBehind) this.flushNow(now)
    else this.rearm(now)
  }

  /** Rows were stored: they wait for more, so that hosts share requests, and for the tick that ends their window. */
  flushSoon(now: number): void {
    const soonMs = now + this.#lingerMs
    // Nearly every time: a flush is on its way already.
    if (this.#flushAtMs !== undefined && this.#flushAtMs > now && this.#flushAtMs <= soonMs) return
    const tickAtMs = this.#tickAtMs() ?? Number.POSITIVE_INFINITY
    const atMs = tickAtMs > now && tickAtMs <= soonMs + windowWidthMs(this.#window()) + EARLY_MS ? tickAtMs : soonMs
    // The earlier one, not the first: a clock that was set back must not leave a flush far ahead.
    this.#flushAtMs = Math.min(this.#flushAtMs ?? Number.POSITIVE_INFINITY, atMs)
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
    const { said, notice } = this.#judge(this.#evaluate(now), now)
    const isDue = now >= (this.#tickAtMs() ?? Number.POSITIVE_INFINITY)
    const wasAhead = this.#unsavedSinceMs !== undefined || this.#deliveries.isPumping
    if (said.length > 0 || notice || isDue) this.#tick(now, said, notice)
    this.#deliveries.enforceBudgets(now)
    this.#deliveries.startPumps()
    // The tick's rows say it too: when nothing else does, it waits for what the pumps settle.
    if (wasAhead || said.length > 0 || notice || !this.#deliveries.isPumping) this.#save()
    this.rearm(now)
  }

  /** A pump ended: what it settled is written, at once when it was the last one. */
  pumpEnded(now: number): void {
    this.#unsavedSinceMs ??= now
    if (!this.#deliveries.isPumping || now - this.#unsavedSinceMs >= UNSAVED_AT_MOST_MS) this.#save()
    // The flush of what came meanwhile may have rung while it ran.
    if (this.#deliveries.isReady) this.flushSoon(now)
    this.rearm(now)
  }

  #save(): void {
    if (this.#unsavedSinceMs === undefined) return
    this.#unsavedSinceMs = undefined
    this.#state.checkpoint()
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
    this.#isTickOwed = false
    const own = notice ? [noticeEntry(notice, now)] : []
    const items = this.#deliveries.records.length > 0 ? this.says(now, changes, own) : []
    if (notice) {
      console.log(`Tenant ${this.#state.tenant.name}: ${notice.message}`)
      this.#state.note({ atMs: now, subject: this.#state.tenant.name, ...notice })
    }
    for (const change of changes) {
      const message = changeMessage(change)
      console.log(message)
      this.#state.note({ atMs: now, kind: `host_${change.to}`, subject: change.name, message })
    }
    this.#state.say(items, now)
    this.#unsavedSinceMs ??= now
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
    const dueAtMs = this.#tickAtMs()
    return (dueAtMs !== undefined && now > dueAtMs + AWAY_MS) || now < this.#state.heartbeatMs - AWAY_MS
  }

  #grantGrace(now: number): void {
    // After a clock was set back the next tick is one tick away, not as far as the clock jumped.
    this.#state.heartbeatMs = Math.min(this.#state.heartbeatMs, now)
    for (const [hostId, host] of this.#state.memories) this.#state.memories.set(hostId, grantGrace(host, now))
    const { incident } = this.#state
    if (incident) this.#state.incident = { ...incident, sinceMs: Math.min(incident.sinceMs, now), backSinceMs: null }
  }

  /** When the hosts' send window is over, so that one flush has it all. Absent while no host ever posted. */
  #tickAtMs(): number | undefined {
    const anySeen = [...this.#state.memories.values()].some(({ lastSeenMs }) => lastSeenMs !== null)
    if (!anySeen) return undefined
    if (this.#isTickOwed) return this.#state.heartbeatMs + TICK_MIN_MS
    // The last tick was for the window that was over a linger before it.
    const lastEndMs = this.#state.heartbeatMs - this.#lingerMs
    return windowEndMs(this.#window(), lastEndMs + this.#tickMs() / 2) + this.#lingerMs
  }

  #window(): Window {
    return { tenantId: this.#state.tenant.id, intervalMs: this.#tickMs(), hosts: this.#state.memories.size }
  }

  #tickMs(): number {
    const intervals = [...this.#state.memories.values()].map(({ agent }) => agent?.intervalMs ?? DEFAULT_INTERVAL_MS)
    return Math.max(TICK_MIN_MS, Math.min(TICK_MAX_MS, ...intervals))
  }
}
