import { type Collector, known } from './collector.ts'
import type { HostFiles } from './host-files.ts'

const UTMP = '/var/run/utmp'
const SESSIONS = '/run/systemd/sessions'

/** Sessions of logged-in users: from utmp, or from logind where utmp is gone (Debian 13). Absent without either. */
export function usersCollector(files: HostFiles, arch: string): Collector {
  return {
    family: 'users',
    async collect() {
      const count = (await files.exists(UTMP)) ? await countUtmp(files, arch) : await countSessions(files)
      return { metrics: known({ onec_logged_users_count: count }) }
    },
  }
}

/** Whose process is gone did not log out in order (a crash): not logged in. */
async function countUtmp(files: HostFiles, arch: string): Promise<number> {
  const pids = parseUtmp(await files.readBytes(UTMP), arch)
  return (await Promise.all(pids.map(pid => files.exists(`/proc/${pid}`)))).filter(Boolean).length
}

const USER_PROCESS = 7
const USER_AT = 44

/** utmp(5): the process of each user's session. The record is longer where `time_t` in it has 64 bits. */
export function parseUtmp(bytes: Buffer, arch: string): number[] {
  const recordBytes = arch === 'arm64' ? 400 : 384
  const pids: number[] = []
  for (let at = 0; at + recordBytes <= bytes.length; at += recordBytes)
    if (bytes.readInt16LE(at) === USER_PROCESS && bytes[at + USER_AT] !== 0) pids.push(bytes.readInt32LE(at + 4))
  return pids
}

async function countSessions(files: HostFiles): Promise<number | undefined> {
  if (!(await files.exists(SESSIONS))) return undefined
  const names = (await files.list(SESSIONS)).filter(name => !name.endsWith('.ref'))
  const texts = await Promise.all(names.map(name => files.readText(`${SESSIONS}/${name}`).catch(() => '')))
  return texts.filter(isUserSession).length
}

/** A session file of logind: the greeter, background services and closing sessions are not people. */
export function isUserSession(text: string): boolean {
  return /^CLASS=user(-early|-light)?$/m.test(text) && !/^STATE=closing$/m.test(text)
}
