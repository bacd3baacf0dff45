import { problem } from '../../shared/problem.ts'
import type { WireBatch } from '../../shared/wire.ts'

/** What the relay does with posts; `new-release` is up, and calls itself another release from now on. */
export type Answer =
  | 'up'
  | 'new-release'
  | 'refuses'
  | 'hangs'
  | 'cuts'
  | 'loses-answers'
  | 'web-page'
  | 'half-json'
  | 'another-id'
  | 'redirects'
  | 'floods'
  | 'busy'
  | 'rejects'

export interface Reply {
  readonly status: number
  readonly body: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

const LIVE_MS = 900
const DRAIN_MS = 100
const FLOOD = Buffer.alloc(1 << 20, '<p>')

export const isGood = (answer: Answer): boolean => answer === 'up' || answer === 'new-release'

/** Absent: the connection dies before the answer. */
export function replyFor(answer: Answer, batch: WireBatch, release: number): Reply | undefined {
  const ack = {
    id: batch.id,
    status: 'stored',
    nextInMs: batch.spool.pendingBatches > 0 ? DRAIN_MS : LIVE_MS,
    config: release,
  }
  switch (answer) {
    case 'up':
    case 'new-release':
      return { status: 200, body: JSON.stringify(ack) }
    case 'web-page':
      return { status: 200, body: '<html>Войдите в сеть</html>' }
    case 'half-json':
      return { status: 200, body: JSON.stringify(ack).slice(0, -20) }
    case 'another-id':
      return { status: 200, body: JSON.stringify({ ...ack, id: 'AAAAAAAAAAAAAAAA' }) }
    case 'redirects':
      return { status: 302, body: '', headers: { location: 'http://127.0.0.1:9/' } }
    case 'floods':
      return { status: 502, body: FLOOD }
    case 'busy':
      return { status: 503, body: JSON.stringify(problem('unavailable', 'soon')), headers: { 'retry-after': '2' } }
    case 'rejects':
      return { status: 422, body: JSON.stringify(problem('batch_invalid', 'this release has a mistake')) }
    case 'refuses':
    case 'hangs':
    case 'cuts':
    case 'loses-answers':
      return undefined
  }
}
