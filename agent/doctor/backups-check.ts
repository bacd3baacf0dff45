import path from 'node:path'
import type { HostConfig } from '../../shared/host-config.ts'
import type { BackupReport } from '../../shared/wire.ts'
import { checkBackups } from '../backup/check.ts'
import type { Clock } from '../clock.ts'
import type { StatePaths } from '../config.ts'
import { mappedTo } from '../windows/mapped-drive.ts'
import { judgeBackups } from './backups.ts'
import type { Check } from './check.ts'

/** The slowest place: `sqlcmd` is ended after a minute. */
const DEADLINE_MS = 70_000

/** Looks at every configured backup once, and at what was last told of each. */
export function backupsCheck(
  config: HostConfig,
  told: readonly BackupReport[],
  paths: StatePaths,
  clock: Clock,
): Check {
  return {
    name: 'backups',
    deadlineMs: DEADLINE_MS,
    async run() {
      const checks = await checkBackups(config, { paths, clock })
      const mapped = checks.flatMap(({ code, place }) => (code === 'mapped_drive' && place !== null ? [place] : []))
      const uncs = new Map(await Promise.all(mapped.map(async place => [place, await uncOf(place)] as const)))
      return judgeBackups(checks, told, place => uncs.get(place))
    },
  }
}

async function uncOf(place: string): Promise<string | undefined> {
  const share = await mappedTo(place.slice(0, 2))
  return share && path.win32.join(share, place.slice(2))
}
