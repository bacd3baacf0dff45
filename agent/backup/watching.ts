import type { HostConfig } from '../../shared/host-config.ts'
import type { Clock } from '../clock.ts'
import { childEnvironment, type StatePaths } from '../config.ts'
import { describeError } from '../error.ts'
import type { Log } from '../log.ts'
import { connectShare } from '../windows/network-share.ts'
import { type Credentials, openCredentials } from './credentials.ts'
import { createIntegrityQueue } from './integrity-queue.ts'
import { createLane } from './lane.ts'
import type { Ledger } from './ledger.ts'
import { findWriter } from './open-writer.ts'
import { createShares } from './shares.ts'
import { createSqlHistory } from './sql-history.ts'
import { readHistory, type SqlHistory } from './sqlcmd.ts'
import { createWatcher, type LookDeps } from './watch.ts'

/** Where SQL Server's setup puts it, for services whose PATH is older than it. */
const SQLCMD_PLACES: readonly string[] =
  process.platform === 'win32'
    ? ['180', '170', '130', '110'].map(
        version => `C:\\Program Files\\Microsoft SQL Server\\Client SDK\\ODBC\\${version}\\Tools\\Binn\\SQLCMD.EXE`,
      )
    : ['/opt/mssql-tools18/bin/sqlcmd', '/opt/mssql-tools/bin/sqlcmd']

/** What looks need, as this machine has it. */
export function systemLookDeps(credentials: Credentials, clock: Clock, halt: AbortSignal): LookDeps {
  const lane = createLane(clock)
  const programs = [['sqlcmd'], ...SQLCMD_PLACES.map(place => [place])]
  const options = { programs, environment: childEnvironment }
  const ask = async (server: string): Promise<SqlHistory> => {
    try {
      return await readHistory(server, credentials.find('sql', server), options)
    } catch (error) {
      // Sealed on another machine.
      return { code: 'sql_login_failed', words: describeError(error) }
    }
  }
  return {
    lane,
    clock,
    integrity: createIntegrityQueue(lane, clock, halt),
    shares: createShares(credentials, lane, clock, process.platform === 'win32' ? connectShare : undefined),
    findWriter,
    sqlHistory: createSqlHistory(ask, clock),
  }
}

export interface WatchingOptions {
  readonly paths: StatePaths
  readonly ledger: Ledger
  readonly config: () => HostConfig
  readonly clock: Clock
  readonly log: Log
}

/** Looks at the configured backups until `halt` is aborted. */
export async function watchBackups(options: WatchingOptions, halt: AbortSignal): Promise<void> {
  const { paths, clock } = options
  const deps = systemLookDeps(openCredentials(paths.credentials), clock, halt)
  await createWatcher({ ...options, directory: paths.backups, deps }).run(halt)
}
