import type { Outcome } from '../../shared/outcome.ts'
import { ok, type Result, refused } from '../result.ts'
import type { DataKey } from '../secrets/envelope.ts'
import { SINK_KINDS, sinkOf } from '../sinks/index.ts'
import { mergeBudget } from './budget.ts'
import type { Deliveries } from './deliveries.ts'
import { afterAnswer, newDestination, suspend } from './destination-memory.ts'
import type { DestinationEdit, DestinationInput, DestinationView } from './rpc.ts'
import { checkSettings, mergeSettings, openSettings, sealSettings } from './settings.ts'
import type { TenantState } from './state.ts'
import type { DestinationRecord } from './store.ts'

/** Each costs a pump, a cursor and requests. */
const MAX_DESTINATIONS = 20

/** What operators do with a tenant's destinations. Destinations are named by id or by name. */
export class DestinationDesk {
  readonly #state: TenantState
  readonly #deliveries: Deliveries
  readonly #dataKey: () => Promise<DataKey>
  readonly #allowPrivate: boolean

  constructor(
    state: TenantState,
    deliveries: Deliveries,
    options: { readonly dataKey: () => Promise<DataKey>; readonly allowPrivate: boolean },
  ) {
    this.#state = state
    this.#deliveries = deliveries
    this.#dataKey = options.dataKey
    this.#allowPrivate = options.allowPrivate
  }

  async add(input: DestinationInput, id: string, now: number): Promise<Result<DestinationView>> {
    const sink = sinkOf(input.sink)
    if (!sink)
      return refused('destination_refused', `There is no sink "${input.sink}". There are: ${SINK_KINDS.join(', ')}.`)
    const settings = checkSettings(sink, input.settings, this.#allowPrivate)
    if (!settings.ok) return settings
    const { name, budget = {} } = input
    const base = { id, name, sink: input.sink, budget, version: 1, createdAtMs: now }
    const stored = await sealSettings(await this.#dataKey(), this.#state.tenant.id, sink, base, settings.value)
    // Looked at after the last await: another call may have come in between.
    if (this.#deliveries.find(input.name))
      return refused('name_taken', `There is a destination "${input.name}" already.`)
    if (this.#deliveries.records.length >= MAX_DESTINATIONS)
      return refused('destination_refused', `A tenant has at most ${MAX_DESTINATIONS} destinations.`)
    this.#state.destinations.set(id, newDestination(this.#state.outbox.head))
    return ok(this.#put({ ...base, ...stored }))
  }

  async edit(idOrName: string, edit: DestinationEdit): Promise<Result<DestinationView>> {
    const found = this.#find(idOrName)
    if (!found.ok) return found
    const before = found.value
    const sink = sinkOf(before.sink)
    if (!sink) return refused('destination_refused', `This release has no sink "${before.sink}".`)
    const dataKey = await this.#dataKey()
    const opened = await openSettings(dataKey, this.#state.tenant.id, before)
    const settings = checkSettings(sink, mergeSettings(opened, edit.settings ?? {}), this.#allowPrivate)
    if (!settings.ok) return settings
    const budget = mergeBudget(before.budget, edit.budget)
    const base = { ...before, name: edit.name ?? before.name, budget, version: before.version + 1 }
    const stored = await sealSettings(dataKey, this.#state.tenant.id, sink, base, settings.value)
    if (this.#deliveries.find(before.id) !== before)
      return refused('name_taken', `Destination "${before.name}" was changed by someone else just now. Look again.`)
    const namesake = this.#deliveries.find(base.name)
    if (namesake && namesake.id !== before.id)
      return refused('name_taken', `There is a destination "${base.name}" already.`)
    const memory = this.#deliveries.memory(before.id)
    // A request may be in flight to the old address, or have been answered there.
    this.#state.destinations.set(before.id, { ...afterAnswer(memory), uncertainBelow: this.#state.outbox.head })
    return ok(this.#put({ ...base, ...stored }))
  }

  async remove(idOrName: string): Promise<Result<{ id: string; name: string }>> {
    const found = this.#find(idOrName)
    if (!found.ok) return found
    const { id, name } = found.value
    this.#deliveries.remove(id)
    this.#state.checkpoint(() => this.#state.store.deleteDestination(id))
    return ok({ id, name })
  }

  async test(idOrName: string, now: () => number): Promise<Result<{ outcome: Outcome; tookMs: number }>> {
    const found = this.#find(idOrName)
    if (!found.ok) return found
    const record = found.value
    const startedAtMs = now()
    const outcome = await this.#deliveries.test(record)
    if (outcome.kind === 'delivered' && this.#deliveries.find(record.id) === record) this.#resume(record)
    return ok({ outcome, tookMs: now() - startedAtMs })
  }

  suspend(idOrName: string, now: number): Result<DestinationView> {
    const found = this.#find(idOrName)
    if (!found.ok) return found
    const { id } = found.value
    this.#deliveries.interrupt(id)
    this.#state.destinations.set(id, suspend(this.#deliveries.memory(id), now))
    this.#state.checkpoint()
    return ok(this.#deliveries.view(found.value))
  }

  resume(idOrName: string): Result<DestinationView> {
    const found = this.#find(idOrName)
    if (!found.ok) return found
    this.#resume(found.value)
    return ok(this.#deliveries.view(found.value))
  }

  #resume({ id }: DestinationRecord): void {
    this.#state.destinations.set(id, afterAnswer(this.#deliveries.memory(id)))
    this.#state.checkpoint()
  }

  #put(record: DestinationRecord): DestinationView {
    this.#deliveries.put(record)
    this.#state.checkpoint(() => this.#state.store.putDestination(record))
    return this.#deliveries.view(record)
  }

  #find(idOrName: string): Result<DestinationRecord> {
    const found = this.#deliveries.find(idOrName)
    return found ? ok(found) : refused('not_found', `This tenant has no destination "${idOrName}".`)
  }
}
