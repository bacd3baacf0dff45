import path from 'node:path'
import type { Clock } from '../clock.ts'
import { readTextIfThere } from '../file.ts'

/** A place that did not answer in time, or has an earlier call that never ended. */
export class Unreachable extends Error {
  override name = 'Unreachable'
}

/**
 * Calls into file systems that may be dead, one after the other. A call that hangs holds one of Node's I/O threads
 * until the system gives it up, which for a dead NAS may be never: from then on only places of this machine are called,
 * and a second call that hangs closes those too. Collection and shipping keep the other threads.
 */
export interface Lane {
  /** Rejects with {@link Unreachable}, or as `call` does. `place` is the path that the call goes to. */
  run<T>(place: string, call: () => Promise<T>, deadlineMs?: number): Promise<T>
}

const DEADLINE_MS = 15_000
const MAX_HANGING = 2

export function createLane(clock: Clock, isRemote: (place: string) => boolean = isRemotePlace): Lane {
  let tail: Promise<unknown> = Promise.resolve()
  const hanging = new Set<string>()

  async function start<T>(place: string, call: () => Promise<T>, deadlineMs: number): Promise<T> {
    const [hung] = hanging
    if (hung !== undefined && (hanging.size >= MAX_HANGING || isRemote(place) || place === hung))
      throw new Unreachable(`an earlier call to ${hung} has not ended`)
    const done = new AbortController()
    const work = call()
    const late = clock.sleep(deadlineMs, done.signal).then(() => {
      if (done.signal.aborted) return undefined as never
      hanging.add(place)
      work.catch(() => undefined).finally(() => hanging.delete(place))
      throw new Unreachable(`${place} did not answer within ${deadlineMs / 1000} s`)
    })
    late.catch(() => undefined)
    return await Promise.race([work, late]).finally(() => done.abort())
  }

  return {
    run(place, call, deadlineMs = DEADLINE_MS) {
      const turn = tail.then(() => start(place, call, deadlineMs))
      tail = turn.catch(() => undefined)
      return turn
    },
  }
}

const REMOTE_FILE_SYSTEM = /^(nfs|cifs|smb|9p|fuse\.|ceph|glusterfs|afs|davfs|ncpfs)/

/** On Windows a UNC path; elsewhere what the mount that holds it says. /proc never hangs. */
function isRemotePlace(place: string): boolean {
  if (process.platform === 'win32') return isUnc(place)
  return isRemoteMount(path.resolve(place), readTextIfThere('/proc/self/mounts') ?? '')
}

export const isUnc = (place: string): boolean => /^[\\/]{2}[^\\/?.]/.test(place) || /^\\\\\?\\UNC\\/i.test(place)

/** By the mount with the longest path above `place`, as /proc/self/mounts has them: `device path type options`. */
export function isRemoteMount(place: string, mounts: string): boolean {
  let nearest = { at: '', type: '' }
  for (const line of mounts.split('\n')) {
    const [, escaped = '', type = ''] = line.split(' ')
    const at = escaped.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
    const isAbove = place === at || place.startsWith(at.endsWith('/') ? at : `${at}/`)
    if (at && isAbove && at.length >= nearest.at.length) nearest = { at, type }
  }
  return REMOTE_FILE_SYSTEM.test(nearest.type)
}
