import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { HostConfig } from '../../shared/host-config.ts'
import type { BackupReport } from '../../shared/wire.ts'
import type { Clock } from '../clock.ts'
import { describeError, systemCode } from '../error.ts'
import { driveKind, mappedTo } from '../windows/drive.ts'
import { type BackupFacts, judgeBackups, type PlaceFacts } from './backups.ts'
import type { Check } from './check.ts'

/** A dead NAS holds one of Node's I/O threads: each place gets this long, one after the other. */
const PLACE_MS = 5_000

/** Where each backup lies, and what was last told of it. */
export function backupsCheck(config: HostConfig, told: readonly BackupReport[], clock: Clock): Check {
  const configured = config.backups ?? []
  return {
    name: 'backups',
    deadlineMs: 10_000 + configured.length * PLACE_MS,
    async run() {
      const facts: BackupFacts[] = []
      for (const { name, directory, ...rules } of configured) {
        const place = directory === undefined ? undefined : await lookAt(directory, clock)
        facts.push({ name, place, server: serverOf(rules), report: told.find(report => report.name === name) })
      }
      const others = told.filter(report => !configured.some(({ name }) => name === report.name))
      return judgeBackups([...facts, ...others.map(report => ({ name: report.name, report }))])
    },
  }
}

/** Absent for a backup without SQL Server's history. */
function serverOf(rules: object): string | undefined {
  const { mssql } = rules as { mssql?: { server?: string } }
  return mssql?.server
}

async function lookAt(directory: string, clock: Clock): Promise<PlaceFacts> {
  const root = process.platform === 'win32' ? path.parse(directory).root : ''
  if (/^[a-z]:/i.test(root)) {
    const drive = driveKind(root)
    if (drive !== 'local') return { directory, drive, unc: drive === 'mapped' ? await uncOf(directory) : undefined }
  }
  const done = new AbortController()
  const listed = readdir(directory).then(
    () => undefined,
    error => systemCode(error) ?? describeError(error),
  )
  const late = clock.sleep(PLACE_MS, done.signal).then(() => `no answer within ${PLACE_MS / 1000} s`)
  const reason = await Promise.race([listed, late])
  done.abort()
  return { directory, ...(reason !== undefined && { reason }) }
}

async function uncOf(directory: string): Promise<string | undefined> {
  const share = await mappedTo(directory.slice(0, 2))
  return share && path.win32.join(share, directory.slice(2))
}
