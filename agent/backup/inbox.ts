import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import * as z from 'zod'
import { backupReport } from '../../shared/wire.ts'
import { makePrivateDirectory, readTextIfThere, removeIfThere, writeFileAtomic } from '../file.ts'
import { processIdentity } from '../identity.ts'
import { decodeJson } from '../json.ts'

/** One report on its way from `backup run` or `backup report` to the agent that runs. */
export const storedReport = z.object({
  /** When it was written. */
  atMs: z.int(),
  report: backupReport,
  /** Path of the backup, for its log entry. */
  file: z.string().optional(),
  /** Who will report the end of a running one: when it is gone, nobody will. */
  process: processIdentity.optional(),
  /** A person says that backups have another size from now on. */
  forgetSizes: z.boolean().optional(),
})
export type StoredReport = z.output<typeof storedReport>

/** More waiting reports than this, and the oldest is given up. */
const MAX_REPORTS = 1_000

/** Keeps a report until an agent takes it; returns how many older ones were given up for it. */
export function writeReport(directory: string, stored: StoredReport): number {
  makePrivateDirectory(directory)
  const rank = stored.report.state === 'running' ? 0 : 1
  const name = `${String(stored.atMs).padStart(15, '0')}-${rank}-${randomBytes(6).toString('hex')}.json`
  writeFileAtomic(path.join(directory, name), JSON.stringify(stored))
  const excess = listReports(directory).slice(0, -MAX_REPORTS)
  for (const old of excess) removeIfThere(path.join(directory, old))
  return excess.length
}

/** Names of the waiting reports, oldest first. */
export function listReports(directory: string): string[] {
  makePrivateDirectory(directory)
  return readdirSync(directory)
    .filter(name => name.endsWith('.json'))
    .sort()
}

/** Absent for a file that is no report, or gone. */
export function readReport(directory: string, name: string): StoredReport | undefined {
  return storedReport.safeParse(decodeJson(readTextIfThere(path.join(directory, name)))).data
}

export function removeReport(directory: string, name: string): void {
  removeIfThere(path.join(directory, name))
}
