import { backOffMs } from '../shared/outcome.ts'
import { type Ack, AGENT_RETRY_MAX_MS, type WireBatch } from '../shared/wire.ts'
import type { Clock } from './clock.ts'
import { describeError, systemCode } from './error.ts'
import type { Exchange } from './relay.ts'
import type { Aside } from './spool/aside.ts'
import { compress, wireBatch } from './spool/batch.ts'
import { type Behind, countSnapshots, type FixedBatch } from './spool/item.ts'
import type { Spool } from './spool/spool.ts'
import { judge, type Verdict } from './verdict.ts'

const BACK_OFF_BASE_MS = 1_000

/** What became of one attempt; `waitMs` is until the next one. */
export type Shipped =
  | { readonly kind: 'idle' }
  /** `drained`: nothing waits behind, so `waitMs` is the time that the relay granted for the next live post. */
  | {
      readonly kind: 'delivered'
      readonly waitMs: number
      readonly ack: Ack
      readonly metrics: number
      readonly snapshots: number
      readonly drained: boolean
    }
  | { readonly kind: 'rejected'; readonly waitMs: number; readonly reason: string }
  | { readonly kind: 'suspended' | 'retry'; readonly waitMs: number; readonly reason: string }
  | { readonly kind: 'removed'; readonly reason: string }

export interface ShipperOptions {
  readonly spool: Spool
  readonly aside: Aside
  readonly exchange: Exchange
  /** Base URLs of the one relay, best first; at least one. */
  readonly routes: readonly string[]
  readonly token: string
  readonly agent: () => WireBatch['agent']
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
}

export interface Shipper {
  /** The route of the next attempt. */
  readonly route: string
  /** One attempt with the oldest batch. Calls never overlap: one post in flight. */
  step(signal?: AbortSignal): Promise<Shipped>
}

export function createShipper(options: ShipperOptions): Shipper {
  const { spool, aside, exchange, routes, token, clock, random } = options
  let routeIndex = 0
  let failures = 0
  let rejections = 0
  let relayVersion: string | null = null

  const route = (): string => routes[routeIndex % routes.length] ?? ''

  async function post(batch: FixedBatch, { batches, oldestAtMs }: Behind, signal?: AbortSignal): Promise<Verdict> {
    const wire = wireBatch(batch, {
      sentAtMs: clock.nowMs(),
      agent: options.agent(),
      spool: { id: spool.id, pendingBatches: batches, oldestAtMs, droppedSnapshots: spool.dropped },
    })
    const body = { bytes: compress(wire), gzip: true }
    const reply = await exchange({
      method: 'POST',
      route: route(),
      path: 'v1/batches',
      token,
      body,
      ...(signal && { signal }),
    })
    const verdict = judge(reply, batch.id, clock.nowMs())
    // Only the relay itself may say which release it is.
    if (reply.status !== null && (verdict.kind !== 'retry' || !verdict.stranger))
      relayVersion = reply.relayVersion ?? relayVersion
    return verdict
  }

  /** Many in a row are more likely the relay's fault than the batches': slower and slower then. */
  function putAside(batch: FixedBatch, reason: string, again: boolean): Shipped {
    // One that was refused before says nothing of the others, and must not hold up what is new.
    if (!again) rejections++
    const lost = aside.put(batch, reason, relayVersion)
    spool.settle(batch.id)
    if (lost.snapshots + lost.entries > 0) spool.countDropped(lost)
    return {
      kind: 'rejected',
      waitMs: backOffMs(again ? 1 : rejections, random(), BACK_OFF_BASE_MS, AGENT_RETRY_MAX_MS),
      reason,
    }
  }

  /** Every route once without a wait, as the next one may be open; then in rounds, further and further apart. */
  function backOff({ reason, afterMs, stranger }: Verdict & { kind: 'retry' }): Shipped {
    failures++
    if (stranger) routeIndex = (routeIndex + 1) % routes.length
    const round = stranger ? Math.ceil(failures / routes.length) : failures
    const roundOver = !stranger || failures % routes.length === 0
    const ownMs = roundOver ? backOffMs(round, random(), BACK_OFF_BASE_MS, AGENT_RETRY_MAX_MS) : 0
    return { kind: 'retry', waitMs: Math.max(ownMs, afterMs ?? 0), reason }
  }

  function delivered(batch: FixedBatch, ack: Ack, drained: boolean): Shipped {
    rejections = 0
    spool.settle(batch.id)
    aside.settle(batch.id)
    const snapshots = countSnapshots(batch.items)
    return { kind: 'delivered', waitMs: ack.nextInMs, ack, drained, snapshots, metrics: countSamples(batch) }
  }

  function act(batch: FixedBatch, verdict: Verdict, drained: boolean, again: boolean): Shipped {
    if (verdict.kind !== 'retry') failures = 0
    switch (verdict.kind) {
      case 'delivered':
        return delivered(batch, verdict.ack, drained)
      case 'rejected':
        return putAside(batch, verdict.reason, again)
      case 'suspended':
        return { kind: 'suspended', waitMs: verdict.afterMs, reason: verdict.reason }
      case 'removed':
        return verdict
      case 'retry':
        return backOff(verdict)
    }
  }

  return {
    get route() {
      return route()
    },
    async step(signal) {
      let batch: FixedBatch | undefined
      let again = false
      try {
        batch = spool.nextBatch()
        again = batch === undefined
        batch ??= aside.due(relayVersion)
      } catch (error) {
        if (systemCode(error) === undefined) throw error
        return backOff({ kind: 'retry', reason: `the spool cannot be used: ${describeError(error)}`, stranger: false })
      }
      if (!batch) return { kind: 'idle' }
      const behind = spool.behind(batch.id)
      return act(batch, await post(batch, behind, signal), behind.batches === 0, again)
    },
  }
}

function countSamples(batch: FixedBatch): number {
  const counts = batch.items.map(
    ({ snapshot }) => Object.keys(snapshot?.metrics ?? {}).length + (snapshot?.series?.length ?? 0),
  )
  return counts.reduce((sum, each) => sum + each, 0)
}
