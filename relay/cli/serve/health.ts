import ky from 'ky'
import { UserError } from '../user-error.ts'

const ATTEMPTS = 100
const BETWEEN_MS = 150
const TIMEOUT_MS = 2_000

/** Waits until a relay answers `GET /healthz` with 200, at most 100 attempts. */
export async function waitUntilHealthy(url: string, wait: (ms: number) => Promise<unknown>): Promise<void> {
  let last = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await wait(BETWEEN_MS)
    last = await askHealth(url)
    if (last === 'ok') return
  }
  throw new UserError(`The relay at ${url} does not become healthy: ${last}.`, { next: 'Look at its lines above.' })
}

async function askHealth(url: string): Promise<string> {
  try {
    const answer = await ky(`${url}/healthz`, {
      timeout: TIMEOUT_MS,
      retry: 0,
      redirect: 'manual',
      throwHttpErrors: false,
    })
    await answer.body?.cancel()
    return answer.status === 200 ? 'ok' : `it answers ${answer.status}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
