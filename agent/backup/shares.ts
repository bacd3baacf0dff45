import { createHash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { describeError } from '../error.ts'
import { isRefusedLogin } from '../windows/network-share.ts'
import { type Credential, type Credentials, credentialFor, shareOf } from './credentials.ts'
import { type Lane, Unreachable } from './lane.ts'

/** Opens the share of a path once, under the credential that is kept for it. Nothing where none is kept. */
export interface Shares {
  /** Rejects with `Unreachable`. */
  connect(place: string): Promise<void>
  /** The share may have gone: open it anew at the next call. */
  lost(place: string): void
}

/** Opens one share; absent where shares are mounted. Rejects with the system's error. */
export type ConnectShare = (share: string, user: string, password: string) => Promise<void>

const CONNECT_DEADLINE_MS = 60_000
/** After a refused password: a NAS blocks the address, a domain the account, of whoever tries one every minute. */
const REFUSED_MS = 60 * 60_000

export function createShares(
  credentials: Credentials,
  lane: Lane,
  clock: Clock,
  connect: ConnectShare | undefined,
): Shares {
  /** Share → user name as it was opened. */
  const open = new Map<string, string>()
  /** Digest of server, user name and password → when they were refused, and how. */
  const refused = new Map<string, { readonly atMs: number; readonly words: string }>()

  async function openShare(share: string, { user, password }: Credential, connect: ConnectShare): Promise<void> {
    const login = JSON.stringify([share.replace(/\\[^\\]+$/, ''), user, password])
    const digest = createHash('sha256').update(login).digest('hex')
    const last = refused.get(digest)
    if (last && clock.monoMs() - last.atMs < REFUSED_MS) throw new Unreachable(last.words)
    try {
      await lane.run(share, () => connect(share, user, password), CONNECT_DEADLINE_MS)
      refused.clear()
    } catch (error) {
      const words = `${share} cannot be opened as ${user}: ${describeError(error)}`
      if (isRefusedLogin(error)) refused.set(digest, { atMs: clock.monoMs(), words })
      throw new Unreachable(words)
    }
  }

  return {
    async connect(place) {
      if (!connect && place.startsWith('\\\\'))
        throw new Unreachable(
          `${place} is a path of Windows: mount the share here, and name the place where it is mounted`,
        )
      const share = shareOf(place)?.toLowerCase()
      const credential = share === undefined ? undefined : credentialFor(credentials, place)
      if (share === undefined || !credential || !connect || open.get(share) === credential.user) return
      await openShare(share, credential, connect)
      open.set(share, credential.user)
    },
    lost(place) {
      const share = shareOf(place)?.toLowerCase()
      if (share !== undefined) open.delete(share)
    },
  }
}
