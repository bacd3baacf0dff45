import type { AdminClient } from '../client.ts'
import { UserError } from '../user-error.ts'
import { type FlowSnapshot, flowLines } from './flow.ts'

export interface FlowWatch {
  readonly client: Pick<AdminClient, 'hosts' | 'destinations'>
  readonly tenantId: string
  readonly everyMs: number
  readonly signal: AbortSignal
  now(): number
  /** Rejects when `signal` aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>
  say(line: string): void
}

/** Says at every interval what is going where; while the relay does not answer, says so once. Ends with the signal. */
export async function watchFlow(watch: FlowWatch): Promise<void> {
  let before: FlowSnapshot | undefined
  let failing = false
  while (!watch.signal.aborted) {
    try {
      const after = await look(watch)
      if (watch.signal.aborted) return
      const lines = flowLines(before, after, watch.now())
      for (const line of lines) watch.say(`${new Date(watch.now()).toISOString()} ${line}`)
      before = after
      failing = false
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      if (!failing && !watch.signal.aborted) watch.say(error.message)
      failing = true
    }
    await watch.wait(watch.everyMs, watch.signal).catch(() => undefined)
  }
}

async function look({ client, tenantId }: FlowWatch): Promise<FlowSnapshot> {
  const [{ hosts }, { destinations }] = await Promise.all([client.hosts(tenantId), client.destinations(tenantId)])
  return { hosts, destinations }
}
