import { type Clock, createPause } from './clock.ts'
import { createTrouble, type Log } from './log.ts'
import type { Settings } from './settings.ts'
import type { Shipped, Shipper } from './ship.ts'

/** A post in flight may still end well for this long after the agent was told to stop. */
const STOP_GRACE_MS = 5_000

/** With nothing to ship the loop sleeps until it is woken. */
const IDLE_MS = 3_600_000

export interface DeliveryOptions {
  readonly shipper: Shipper
  readonly settings: Settings
  readonly clock: Clock
  readonly log: Log
  /** When the next live post is due, monotonic; undefined: the interval changed. */
  readonly onGranted: (postAtMs: number | undefined) => void
  readonly onTick: () => void
}

/** The loop that empties the spool. */
export interface Delivery {
  /** Ends when `halt` is aborted, or with the reason when the relay says that this host was removed. */
  run(halt: AbortSignal): Promise<string | undefined>
  /** Something new is in the spool. */
  wake(): void
  readonly state: {
    readonly lastDeliveredAtMs: number | null
    readonly problem: { readonly sinceMs: number; readonly reason: string } | null
  }
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { shipper, settings, clock, log } = options
  const pause = createPause(clock)
  const trouble = createTrouble(log)
  let lastDeliveredAtMs: number | null = null
  let problem: { sinceMs: number; reason: string } | null = null

  function fail(reason: string, text: string): void {
    problem = { sinceMs: problem?.sinceMs ?? clock.nowMs(), reason }
    trouble.raise('warn', text)
  }

  async function handle(shipped: Shipped, signal: AbortSignal): Promise<void> {
    switch (shipped.kind) {
      case 'delivered':
        return await handleDelivered(shipped, signal)
      case 'rejected':
        return fail(
          shipped.reason,
          `The relay refused a batch (${shipped.reason}). It is put aside for another release of it.`,
        )
      case 'suspended':
        return fail(
          shipped.reason,
          `The relay does not let this host in (${shipped.reason}). ${adviceFor(shipped.reason)}`,
        )
      case 'retry':
        return fail(shipped.reason, `The relay took nothing (${shipped.reason}). Snapshots are kept and sent later.`)
      case 'idle':
      case 'removed':
    }
  }

  async function handleDelivered(shipped: Shipped & { kind: 'delivered' }, signal: AbortSignal): Promise<void> {
    const grantedAtMs = clock.monoMs() + shipped.waitMs
    lastDeliveredAtMs = clock.nowMs()
    problem = null
    trouble.clear('The relay takes batches again')
    log('info', `Sent ${shipped.metrics} metrics to the relay`)
    if (shipped.drained) options.onGranted(grantedAtMs)
    if (await settings.refresh(shipped.ack.config, shipper.route, signal)) options.onGranted(undefined)
  }

  /** Until `halt`; the reason when the host was removed. */
  async function loop(halt: AbortSignal, cut: AbortSignal): Promise<string | undefined> {
    let nextAtMs = 0
    while (!halt.aborted) {
      const waitMs = nextAtMs - clock.monoMs()
      if (waitMs > 0) {
        await pause.wait(waitMs)
        continue
      }
      const shipped = await shipper.step(cut)
      await handle(shipped, cut)
      if (shipped.kind === 'removed') return shipped.reason
      options.onTick()
      if (shipped.kind === 'idle') await pause.wait(IDLE_MS)
      else nextAtMs = clock.monoMs() + shipped.waitMs
    }
    return undefined
  }

  return {
    async run(halt) {
      const cut = new AbortController()
      const finished = new AbortController()
      const onHalt = () => {
        pause.wake()
        void clock.sleep(STOP_GRACE_MS, finished.signal).then(() => cut.abort())
      }
      halt.addEventListener('abort', onHalt)
      try {
        return await loop(halt, cut.signal)
      } finally {
        finished.abort()
        halt.removeEventListener('abort', onHalt)
      }
    },
    wake: pause.wake,
    state: {
      get lastDeliveredAtMs() {
        return lastDeliveredAtMs
      },
      get problem() {
        return problem
      },
    },
  }
}

function adviceFor(reason: string): string {
  if (reason.startsWith('host_disabled')) return 'It was disabled at the relay; it goes on when it is enabled there.'
  if (reason.startsWith('host_cloned'))
    return 'Another machine uses the same token. Stop this one, its copy, and make it a host of its own: onec-agent enrol --relay URL --code CODE --name NEW-NAME.'
  return 'Enrol it again: onec-agent enrol --relay URL --code CODE. Snapshots are kept meanwhile.'
}
