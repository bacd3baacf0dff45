import { describeError } from '../error.ts'
import { type Credentials, credentialFor, shareOf } from './credentials.ts'
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

export function createShares(credentials: Credentials, lane: Lane, connect: ConnectShare | undefined): Shares {
  /** Share → user name as it was opened. */
  const open = new Map<string, string>()
  return {
    async connect(place) {
      if (!connect && place.startsWith('\\\\'))
        throw new Unreachable(
          `${place} is a path of Windows: mount the share here, and name the place where it is mounted`,
        )
      const share = shareOf(place)?.toLowerCase()
      const credential = share === undefined ? undefined : credentialFor(credentials, place)
      if (share === undefined || !credential || !connect || open.get(share) === credential.user) return
      const { user, password } = credential
      try {
        await lane.run(share, () => connect(share, user, password), CONNECT_DEADLINE_MS)
      } catch (error) {
        throw new Unreachable(`${share} cannot be opened as ${user}: ${describeError(error)}`)
      }
      open.set(share, user)
    },
    lost(place) {
      const share = shareOf(place)?.toLowerCase()
      if (share !== undefined) open.delete(share)
    },
  }
}
