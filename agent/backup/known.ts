import * as z from 'zod'
import type { BackupConfig, HostConfig } from '../../shared/host-config.ts'
import { type BackupReport, LIMITS } from '../../shared/wire.ts'
import { nextDue } from './due.ts'
import { type StoredReport, storedReport } from './inbox.ts'

/** Sizes of good backups that are remembered of each, the newest last. */
const MAX_SIZES = 10

/** What the ledger has of one backup. Fields are only ever added. */
export const known = z.object({
  /** The newest report. */
  stored: storedReport,
  lastGoodAtMs: z.int().nullable(),
  /** The last completed run, good or not. */
  completed: z.object({ state: z.string(), atMs: z.int() }).optional(),
  /** Bytes of the last good ones. */
  goodSizes: z.array(z.int()).max(MAX_SIZES).optional(),
})
export type Known = z.output<typeof known>

/** The newest report of each name, and when it last was good; the names heard of last are kept. */
export function applyReports(
  before: ReadonlyMap<string, Known>,
  arrived: readonly StoredReport[],
): ReadonlyMap<string, Known> {
  const after = new Map(before)
  for (const stored of arrived) {
    const { name } = stored.report
    const old = after.get(name)
    after.delete(name)
    after.set(name, applyReport(old, stored))
  }
  return new Map([...after].slice(-LIMITS.backups))
}

function applyReport(old: Known | undefined, stored: StoredReport): Known {
  const { state, completedAtMs, sizeBytes } = stored.report
  const isGood = state === 'ok' || state === 'unchanged'
  const completed =
    completedAtMs !== null && (isGood || state === 'failed') ? { state, atMs: completedAtMs } : old?.completed
  const sizes = stored.forgetSizes ? [] : (old?.goodSizes ?? [])
  const isNew = completedAtMs !== null && completedAtMs > (old?.completed?.atMs ?? 0)
  const goodSizes = state === 'ok' && sizeBytes && isNew ? [...sizes, sizeBytes].slice(-MAX_SIZES) : sizes
  return {
    stored,
    lastGoodAtMs: isGood ? (completedAtMs ?? stored.atMs) : (old?.lastGoodAtMs ?? null),
    ...(completed && { completed }),
    ...(goodSizes.length > 0 && { goodSizes }),
  }
}

export function backupOf(config: HostConfig, name: string): BackupConfig | undefined {
  return config.backups?.find(each => each.name === name)
}

/** Each of these has a checker of its own that says when it is overdue. */
export const isWatched = ({ directory, pattern, statusFile, mssql }: BackupConfig): boolean =>
  (directory !== undefined && pattern !== undefined) || statusFile !== undefined || mssql !== undefined

/** When the next good one is due, counted from the last good one, else from when one was first expected. */
export function dueOf(
  backup: Known | undefined,
  rules: BackupConfig | undefined,
  expectedSinceMs: number | undefined,
): number | null {
  const sinceMs = backup?.lastGoodAtMs ?? expectedSinceMs
  const due = rules && sinceMs !== undefined ? nextDue(rules, sinceMs) : undefined
  return due ?? backup?.stored.report.dueAtMs ?? null
}

/** No run, but the lack of one: what is known of completed ones stays. */
export function statement(
  name: string,
  state: BackupReport['state'],
  source: BackupReport['source'],
  reason: string,
): BackupReport {
  const nothing = { startedAtMs: null, completedAtMs: null, sizeBytes: null, durationMs: null, dueAtMs: null }
  return { name, state, source, reason: reason.slice(0, 500), ...nothing }
}
