import type { Deliveries } from './deliveries.ts'
import { nextDrainInMs } from './drain.ts'
import { wayAfter } from './host-memory.ts'
import type { IngestHeader } from './rpc.ts'
import { nextPostInMs } from './send-window.ts'
import type { TenantState } from './state.ts'

/** When hosts post next: live ones in their tenant's send window, those with a backlog in turns. */
export class Grants {
  readonly #state: TenantState
  readonly #deliveries: Deliveries
  /** The first turn that no host with a backlog has yet. Lost with the object: then turns begin anew. */
  #freeAtMs = 0

  constructor(state: TenantState, deliveries: Deliveries) {
    this.#state = state
    this.#deliveries = deliveries
  }

  /** When the next post should arrive, and after how long its host must send it for that. */
  next({ hostId, agent, spool }: IngestHeader, now: number): { readonly nextInMs: number; readonly dueAtMs: number } {
    if (spool.pendingBatches > 0) {
      const turn = nextDrainInMs({ waitingSamples: this.#deliveries.waitingSamples(), freeAtMs: this.#freeAtMs }, now)
      this.#freeAtMs = turn.freeAtMs
      return { nextInMs: turn.inMs, dueAtMs: now + turn.inMs }
    }
    const { intervalMs } = agent
    const { tenant, memories } = this.#state
    const inMs = nextPostInMs({ tenantId: tenant.id, hostId, intervalMs, hosts: memories.size }, now)
    const wayMs = Math.min(wayAfter(this.#state.memory(hostId, now), now), Math.floor(intervalMs / 4))
    return { nextInMs: inMs - wayMs, dueAtMs: now + inMs }
  }
}
