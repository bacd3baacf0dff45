import type { Clock } from '../clock.ts'
import type { StatePaths } from '../config.ts'
import { UserError } from '../error.ts'
import { readStatus } from '../status.ts'
import type { Service } from './service.ts'

const POLL_MS = 250
/** An inventory takes up to 5 s, the first snapshot 2 more, on a busy server longer. */
const FIRST_STATUS_MS = 30_000

/**
 * `enrol` as the one command: enrols, makes the service and starts it. A service that ran before the enrolment failed
 * goes on as it was. Answers what was done, and whether the agent took its first snapshot within half a minute.
 */
export async function enrolAsService<E>(
  options: { readonly service: Service; readonly paths: StatePaths; readonly clock: Clock },
  enrol: () => Promise<E>,
): Promise<{ readonly enrolled: E; readonly done: string; readonly works: boolean }> {
  const { service, paths, clock } = options
  // A code is good for one enrolment.
  service.checkRights()
  const ran = await service.stop()
  const enrolled = await enrol().catch(async error => {
    const failure = ran ? await service.start().catch((failure: Error) => failure) : undefined
    // Why the enrolment failed counts more than a start that fails after it.
    if (failure && error instanceof UserError) throw new UserError(`${error.message}\n${failure.message}`)
    throw error
  })
  const done = await service.install()
  const sinceMs = clock.nowMs()
  await service.start()
  return { enrolled, done, works: await worksSince(paths, sinceMs, clock) }
}

/** Whether an agent that began after `sinceMs` wrote its status. */
async function worksSince(paths: StatePaths, sinceMs: number, clock: Clock): Promise<boolean> {
  const lateAtMs = clock.monoMs() + FIRST_STATUS_MS
  while (clock.monoMs() < lateAtMs) {
    if ((readStatus(paths.status)?.startedAtMs ?? 0) >= sinceMs) return true
    await clock.sleep(POLL_MS)
  }
  return false
}
