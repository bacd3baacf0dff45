import { freePort } from '../support/real-server-process.ts'
import { type RecordingProxy, startRecordingProxy } from '../support/recording-proxy.ts'
import { openStack, type Stack } from '../support/stack.ts'
import { type StandIn, startStandIn } from '../support/stand-ins/stand-in.ts'

export const TENANT = 'ООО Ромашка'

/** The real relay on loopback, which wine shares, with a strict stand-in behind it and a witness before it. */
export interface TestRelay {
  readonly stack: Stack
  readonly witness: RecordingProxy
  /** Where an agent enrols: the witness. */
  readonly url: string
  code(): Promise<string>
  /** Times of the snapshots that the destination holds. */
  delivered(): number[]
  close(): Promise<void>
}

export async function openRelay(): Promise<TestRelay> {
  const sink: StandIn = await startStandIn('remote-write')
  const stack = await openStack(await freePort())
  await stack.serve()
  await stack.relay('tenant', 'add', TENANT)
  await stack.relay('destination', 'add', TENANT, 'counting', '--sink', 'remote-write', '--url', sink.url)
  const witness = await startRecordingProxy(0, () => stack.port)
  return {
    stack,
    witness,
    url: witness.url,
    code: async () => (await stack.json<{ code: string }>('enrol', 'create', TENANT)).code,
    delivered: () =>
      [...sink.series().values()].find(({ name }) => name === 'onec_timestamp_unix')?.samples.map(({ atMs }) => atMs) ??
      [],
    async close() {
      await stack.remove()
      await Promise.all([witness.stop(), sink.stop()])
    },
  }
}
