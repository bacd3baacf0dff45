import { DurableObject } from 'cloudflare:workers'
import type { HostConfig } from '../../shared/host-config.ts'
import type { Outcome } from '../../shared/outcome.ts'
import type { Ack, ConfigReply } from '../../shared/wire.ts'
import type { Env } from '../env.ts'
import { RelayError } from '../problem.ts'
import { ok, type Result, refused } from '../result.ts'
import { createDataKey, type DataKey, openDataKey } from '../secrets/envelope.ts'
import { readKeyring } from '../secrets/keyring.ts'
import { totalBytes } from './budget.ts'
import { isClone } from './clones.ts'
import { CommitQueue } from './commit-queue.ts'
import type { Counters } from './counters.ts'
import { DeadLetterDesk } from './dead-letter-desk.ts'
import { Deliveries } from './deliveries.ts'
import { DestinationDesk } from './destination-desk.ts'
import { Grants } from './grants.ts'
import { offsetOf } from './host-clock.ts'
import { enrolledAgain, newHost, postTimes } from './host-memory.ts'
import { seriesOf } from './host-series.ts'
import {
  admit,
  countHosts,
  type Enrolment,
  enrolled,
  findHost,
  hostDetail,
  hostView,
  postsDue,
  reconfigured,
} from './hosts.ts'
import { StateUnreadable } from './outbox.ts'
import { Pulse } from './pulse.ts'
import type { BatchItem } from './row.ts'
import {
  type DeadLetterDetail,
  type DeadLetterFilter,
  type DeadLetterSelection,
  type DeadLettersDropped,
  type DeadLettersReplayed,
  type DeadLetterView,
  type DestinationEdit,
  type DestinationInput,
  type DestinationView,
  type EventView,
  type HostCounts,
  type HostCredential,
  type HostDetail,
  type HostView,
  type IngestHeader,
  type MetricSeries,
  RPC_VERSION,
  type TenantRpc,
} from './rpc.ts'
import { selfMetrics } from './self-metrics.ts'
import { TenantState } from './state.ts'
import type { HostRecord } from './store.ts'
import { saidOf } from './tick.ts'

const DEFAULT_LINGER_MS = 2_000
const CLONE_KEPT_OUT =
  'Another machine posts under this token too; this one, seen later, is kept out as its copy. Stop it and make it a host of its own: onec-agent enrol --relay URL --code CODE --name NEW-NAME.'
/** After an alarm that failed: soon enough to go on, late enough not to spin. */
const ALARM_AGAIN_MS = 5_000

const NOTHING_STORED = 'Nothing is stored of this tenant, though it has hosts. Restore its state from a backup.'

/** What is alive while the stored state is readable. */
interface Live {
  readonly state: TenantState
  readonly deliveries: Deliveries
  readonly pulse: Pulse
  readonly queue: CommitQueue
  readonly grants: Grants
  readonly desk: DestinationDesk
  readonly letters: DeadLetterDesk
}

/** One tenant: its hosts, their outbox, its destinations. The shell around the rules of this folder. */
export class TenantObject extends DurableObject<Env> implements TenantRpc {
  #live: Live | undefined
  #fault = 'the object is starting'
  #dataKey: Promise<DataKey> | undefined
  /** Batches on their way to disk, by host and id: a re-send waits for the same commit. */
  readonly #pending = new Map<string, Promise<void>>()

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    void ctx.blockConcurrencyWhile(() => this.#start())
  }

  async #start(): Promise<void> {
    const now = Date.now()
    try {
      const state = new TenantState(this.ctx.storage, now, error => this.#abort(error))
      const deliveries = new Deliveries(state, {
        dataKey: () => this.#openDataKey(state),
        pumpEnded: () => this.#live?.pulse.pumpEnded(Date.now()),
        now: Date.now,
      })
      const lingerMs = Number(this.env.FLUSH_LINGER_MS ?? DEFAULT_LINGER_MS)
      const armedAtMs = await this.ctx.storage.getAlarm()
      const pulse = new Pulse(state.storage, state, deliveries, { lingerMs, armedAtMs })
      const queue = new CommitQueue(
        async items => {
          await state.append(items, Date.now())
          pulse.flushSoon(Date.now())
        },
        {
          due: () => postsDue(state.memories.values(), Date.now()),
          after: (ms, happen) => void setTimeout(happen, ms),
        },
      )
      const desk = new DestinationDesk(state, deliveries, {
        dataKey: () => this.#openDataKey(state),
        allowPrivate: this.env.PRIVATE_DESTINATIONS === 'allow',
      })
      const letters = new DeadLetterDesk(state, deliveries)
      const grants = new Grants(state, deliveries)
      this.#live = { state, deliveries, pulse, queue, grants, desk, letters }
      // Alarms are kept apart from the data: after a crash one may be missing. What is waiting goes out now.
      if (state.identity) pulse.wake(now)
    } catch (error) {
      if (!(error instanceof StateUnreadable)) throw error
      console.error(`Tenant object ${this.ctx.id} cannot read its state and takes nothing:`, error)
      this.#fault = `The stored state of this tenant cannot be read (${error.message}). Restore it from a backup.`
    }
  }

  override async alarm(): Promise<void> {
    try {
      this.#live?.pulse.beat(Date.now())
    } catch (error) {
      // A throwing alarm is dropped after a few tries: never let one out.
      console.error('The alarm failed:', error)
      await this.ctx.storage.setAlarm(Date.now() + ALARM_AGAIN_MS)
    }
  }

  async init(tenant: { id: string; name: string }): Promise<void> {
    this.#alive().state.init(tenant)
  }

  async ingest(header: IngestHeader, body: Uint8Array): Promise<Result<Ack>> {
    if (header.rpc !== RPC_VERSION)
      return refused('unavailable', 'The relay is being updated; the same batch will be taken in a moment.')
    const live = this.#forHosts()
    if (!live.ok) return live
    const { state, queue, deliveries, grants } = live.value
    const admitted = admit(state.hosts.get(header.hostId), header)
    if (!admitted.ok) return admitted
    const ack = (status: Ack['status'], nextInMs: number) =>
      ok({ id: header.id, status, nextInMs, config: admitted.value.configRevision })

    const now = Date.now()
    const { nextInMs, dueAtMs } = grants.next(header, now)
    const key = `${header.hostId} ${header.id}`
    const pending = this.#pending.get(key)
    if (pending) {
      await pending
      return ack('duplicate', nextInMs)
    }
    const memory = state.memory(header.hostId, now)
    if (isClone(memory.clones, header)) return refused('host_cloned', CLONE_KEPT_OUT)
    if (memory.ids.includes(header.id)) return ack('duplicate', nextInMs)
    const offsetMs = offsetOf(memory.clock, postTimes(memory, header, now))
    const item = batchItem(header, body, { receivedAtMs: now, dueAtMs, offsetMs })
    const fullOf = !queue.hasRoomFor(item)
      ? 'memory'
      : state.outbox.bytes > totalBytes(deliveries.budgets)
        ? 'total'
        : null
    if (fullOf) {
      state.countRefused(fullOf)
      return refused('backlog_full', 'The relay holds all it can for this tenant. The batch is safe in your spool.')
    }
    const committed = queue.commit(item)
    this.#pending.set(key, committed)
    await committed
    this.#pending.delete(key)
    return ack('stored', nextInMs)
  }

  async hostConfig(credential: HostCredential): Promise<Result<ConfigReply>> {
    const live = this.#forHosts()
    if (!live.ok) return live
    const admitted = admit(live.value.state.hosts.get(credential.hostId), credential)
    return admitted.ok ? ok(configReply(admitted.value)) : admitted
  }

  async enrol(input: Enrolment): Promise<Result<{ hostId: string; config: ConfigReply }>> {
    const live = this.#live
    if (!live) return refused('state_unreadable', this.#fault)
    if (!live.state.identity)
      return refused('unavailable', 'This tenant is not set up yet. Repeat "onec-relay tenant add", then enrol again.')
    const now = Date.now()
    const hasClones = (hostId: string) => live.state.memory(hostId, now).clones.length > 0
    const record = enrolled(live.state.hosts.values(), input, newId('h'), now, hasClones)
    if (!record.ok) return record
    const host = record.value
    const known = live.state.memories.get(host.id)
    this.#putHost(live.state, host)
    live.state.memories.set(host.id, known ? enrolledAgain(known) : newHost(now))
    live.state.note({ atMs: now, kind: 'host_enrolled', subject: host.name, message: `Host ${host.name} enrolled` })
    live.state.checkpoint()
    return ok({ hostId: host.id, config: configReply(host) })
  }

  async counts(): Promise<HostCounts> {
    return countHosts(await this.hosts())
  }

  async counters(): Promise<Counters> {
    return this.#alive().state.counters
  }

  async metrics(): Promise<readonly MetricSeries[]> {
    const { state, pulse } = this.#alive()
    return selfMetrics(pulse.says(Date.now()), await this.counts(), state)
  }

  async hosts(): Promise<readonly HostView[]> {
    const { state } = this.#alive()
    const now = Date.now()
    return [...state.hosts.values()]
      .filter(({ removedAtMs }) => removedAtMs === null)
      .map(host => hostView(host, state.memory(host.id, now), now))
  }

  async host(idOrName: string): Promise<Result<HostDetail>> {
    const { state, deliveries } = this.#alive()
    const now = Date.now()
    const found = findHost(state.hosts, idOrName)
    if (!found.ok) return found
    const { id } = found.value
    return ok(hostDetail(found.value, state.memory(id, now), deliveries.leftOutOf(id), now))
  }

  async removeHost(idOrName: string): Promise<Result<{ id: string; name: string }>> {
    const { state, deliveries, pulse } = this.#alive()
    const found = findHost(state.hosts, idOrName)
    if (!found.ok) return found
    const now = Date.now()
    const { id, name } = found.value
    const said = saidOf(id, state.memory(id, now), deliveries.facts(now))
    const series = [...state.seriesOf(id), ...seriesOf(said)]
    state.memories.delete(id)
    state.series.delete(id)
    state.note({ atMs: now, kind: 'host_removed', subject: name, message: `Host ${name} was removed` })
    state.hosts.set(id, { ...found.value, removedAtMs: now })
    state.checkpoint(() => {
      state.store.putHost({ ...found.value, removedAtMs: now })
      state.outbox.append([{ kind: 'removal', atMs: now, hostId: id, series }])
    })
    pulse.flushNow(now)
    return ok({ id, name })
  }

  async setHostConfig(idOrName: string, config: HostConfig): Promise<Result<ConfigReply>> {
    const { state } = this.#alive()
    const found = findHost(state.hosts, idOrName)
    if (!found.ok) return found
    const host = reconfigured(found.value, config)
    this.#putHost(state, host)
    return ok(configReply(host))
  }

  async destinations(): Promise<readonly DestinationView[]> {
    const { deliveries } = this.#alive()
    return deliveries.records.map(record => deliveries.view(record))
  }

  async addDestination(input: DestinationInput): Promise<Result<DestinationView>> {
    return this.#alive().desk.add(input, newId('d'), Date.now())
  }

  async editDestination(idOrName: string, edit: DestinationEdit): Promise<Result<DestinationView>> {
    const { desk, pulse } = this.#alive()
    const edited = await desk.edit(idOrName, edit)
    if (edited.ok) pulse.flushNow(Date.now())
    return edited
  }

  async removeDestination(idOrName: string): Promise<Result<{ id: string; name: string }>> {
    return this.#alive().desk.remove(idOrName)
  }

  async testDestination(idOrName: string): Promise<Result<{ outcome: Outcome; tookMs: number }>> {
    const { desk, pulse } = this.#alive()
    const tested = await desk.test(idOrName, Date.now)
    if (tested.ok && tested.value.outcome.kind === 'delivered') pulse.flushNow(Date.now())
    return tested
  }

  async suspendDestination(idOrName: string): Promise<Result<DestinationView>> {
    return this.#alive().desk.suspend(idOrName, Date.now())
  }

  async resumeDestination(idOrName: string): Promise<Result<DestinationView>> {
    const { desk, pulse } = this.#alive()
    const resumed = desk.resume(idOrName)
    if (resumed.ok) pulse.flushNow(Date.now())
    return resumed
  }

  async events(limit: number): Promise<readonly EventView[]> {
    return this.#alive().state.store.events(limit)
  }

  async deadLetters(limit: number, filter: DeadLetterFilter = {}): Promise<readonly DeadLetterView[]> {
    return this.#alive().letters.list(limit, filter)
  }

  async deadLetter(id: number): Promise<Result<DeadLetterDetail>> {
    return this.#alive().letters.show(id)
  }

  async replayDeadLetters(selection: DeadLetterSelection): Promise<Result<DeadLettersReplayed>> {
    const { letters, pulse } = this.#alive()
    const now = Date.now()
    const replayed = letters.replay(selection, now)
    if (replayed.ok) pulse.flushNow(now)
    return replayed
  }

  async dropDeadLetters(selection: DeadLetterSelection): Promise<Result<DeadLettersDropped>> {
    return this.#alive().letters.drop(selection, Date.now())
  }

  #putHost(state: TenantState, host: HostRecord): void {
    state.hosts.set(host.id, host)
    state.store.putHost(host)
  }

  async #openDataKey(state: TenantState): Promise<DataKey> {
    this.#dataKey ??= this.#readDataKey(state).catch(error => {
      // The keyring may be mended without this object noticing: ask again next time.
      this.#dataKey = undefined
      throw error
    })
    return this.#dataKey
  }

  async #readDataKey(state: TenantState): Promise<DataKey> {
    const keyring = readKeyring(this.env.RELAY_KEYS)
    const wrapped = state.store.meta('data_key') ?? (await createDataKey(keyring, state.tenant.id))
    if (state.store.meta('data_key') === undefined) state.store.setMeta('data_key', wrapped)
    return openDataKey(keyring, state.tenant.id, wrapped)
  }

  /** A host has a token of this tenant: when nothing is stored here, it was lost, and the host is not to be sent away. */
  #forHosts(): Result<Live> {
    if (!this.#live) return refused('state_unreadable', this.#fault)
    return this.#live.state.identity ? ok(this.#live) : refused('state_unreadable', NOTHING_STORED)
  }

  #alive(): Live {
    if (!this.#live) throw new RelayError('state_unreadable', this.#fault)
    return this.#live
  }

  #abort(error: unknown): never {
    console.error('A write failed; the object starts again from what is stored:', error)
    this.ctx.abort('a write failed')
    throw error
  }
}

function batchItem(
  header: IngestHeader,
  body: Uint8Array,
  { offsetMs, ...times }: { receivedAtMs: number; dueAtMs: number; offsetMs: number },
): BatchItem {
  const { rpc, secretHash, snapshots, oldestAtMs, ...rest } = header
  return { kind: 'batch', ...rest, ...times, ...(offsetMs !== 0 && { offsetMs }), body }
}

function configReply(host: HostRecord): ConfigReply {
  return { revision: host.configRevision, config: host.config }
}

/** 12 characters of a 32-letter alphabet, 60 random bits: Crockford's, which nobody misreads. */
function newId(prefix: string): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
  return prefix + [...crypto.getRandomValues(new Uint8Array(12))].map(byte => alphabet[byte & 31]).join('')
}
