import { readWide } from '../../windows/library.ts'
import { type Collector, known } from '../collector.ts'
import { ACTIVE, parseSessionList, type SessionSource, windowsSessions } from './sessions.ts'

const RDP = 2

/** Sessions with a user, disconnected ones too, and those of them that a remote desktop shows at this moment. */
export function usersCollector(source: SessionSource = windowsSessions): Collector {
  return {
    family: 'users',
    async collect() {
      let logged = 0
      let rdpActive = 0
      // One after the other: 90 sessions at once would take all of Node's threads.
      for (const { id, state } of parseSessionList(await source.list())) {
        if (!hasUser(await source.userName(id))) continue
        logged++
        if (state === ACTIVE && isRdp(await source.protocol(id))) rdpActive++
      }
      return { metrics: known({ onec_logged_users_count: logged, onec_rdp_active_count: rdpActive }) }
    },
  }
}

/** The console at its login screen and one that is connecting have a session, and an empty name. */
const hasUser = (name: Buffer | undefined): boolean => name !== undefined && readWide(name) !== ''

const isRdp = (protocol: Buffer | undefined): boolean =>
  protocol !== undefined && protocol.length >= 2 && protocol.readUInt16LE(0) === RDP
