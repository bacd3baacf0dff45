import type { BackupConfig } from '../../shared/host-config.ts'
import type { BackupReport } from '../../shared/wire.ts'
import { localTime, nextDue } from './due.ts'
import { contentProblem, type Head } from './format.ts'
import type { IntegrityResult } from './integrity.ts'

/** What can be found of a watched backup, and the state that it means. Stable: `doctor` words them in two languages. */
export const VERDICTS = {
  good: 'ok',
  unchanged: 'unchanged',
  /** Still written to. */
  growing: 'running',
  locked: 'running',
  empty: 'failed',
  too_small: 'failed',
  shrunken: 'failed',
  wrong_type: 'failed',
  unsafe_copy: 'failed',
  truncated: 'failed',
  damaged: 'failed',
  /** Older than a good one may be. */
  too_old: 'late',
  late: 'late',
  future: 'unknown',
  gone: 'unknown',
  unreachable: 'unknown',
  unreadable: 'unknown',
} as const satisfies Record<string, BackupReport['state']>
export type VerdictCode = keyof typeof VERDICTS

export interface Verdict {
  readonly code: VerdictCode
  /** For a person; absent when there is nothing to say. */
  readonly words?: string
}

/** A file as one look saw it. Two looks that see the same values saw a file that nobody writes to. */
export interface SeenFile {
  readonly path: string
  readonly sizeBytes: number
  /** Whole milliseconds. */
  readonly modifiedAtMs: number
}

/** The same content, as far as the file system tells. */
export const identityOf = ({ path, sizeBytes, modifiedAtMs }: SeenFile): string =>
  `${sizeBytes}|${modifiedAtMs}|${path}`

/** The same without its path: size and time. */
export const contentOf = (identity: string): string => identity.split('|', 2).join('|')

/** A file server's clock may be a little ahead. */
export const FUTURE_TOLERANCE_MS = 5 * 60_000
/** What the wire takes for a time that a clock was set to: 2020. */
const OLDEST_MS = 1_577_836_800_000

export const isFromFuture = (file: SeenFile, nowMs: number): boolean => file.modifiedAtMs > nowMs + FUTURE_TOLERANCE_MS

/**
 * The file to judge: the newest. One whose time is in the future would hide all that come after it, so one that is
 * not older than the last completed run goes first, while it is young enough.
 */
export function pickNewest(
  files: readonly SeenFile[],
  nowMs: number,
  completedAtMs: number | undefined,
  rules: BackupConfig,
): SeenFile | undefined {
  const sorted = files.toSorted((a, b) => b.modifiedAtMs - a.modifiedAtMs || b.path.localeCompare(a.path))
  const sane = sorted.find(file => !isFromFuture(file, nowMs))
  if (!sane || sorted[0] === sane) return sorted[0]
  // A second verdict on a run is told some milliseconds later than the run.
  const isNotOlder = sane.modifiedAtMs > (completedAtMs ?? 0) - 1_000
  return isNotOlder && !isTooOld(sane, rules, nowMs) ? sane : sorted[0]
}

function isTooOld(file: SeenFile, rules: BackupConfig, nowMs: number): boolean {
  const due = nextDue(rules, file.modifiedAtMs)
  return file.modifiedAtMs < OLDEST_MS || (due !== undefined && nowMs >= due)
}

/** What the times of a file say before anything is read of it; `wait`: look once more, `read`: nothing against it. */
export function judgeTimes(
  file: SeenFile,
  before: SeenFile | undefined,
  rules: BackupConfig,
  nowMs: number,
): Verdict | 'wait' | 'read' {
  if (isFromFuture(file, nowMs)) {
    const words = `the file was written at ${localTime(file.modifiedAtMs)}, which is yet to come: set the clock`
    return { code: 'future', words }
  }
  if (before?.path !== file.path) return 'wait'
  if (identityOf(before) !== identityOf(file)) return { code: 'growing', words: `${file.sizeBytes} bytes so far` }
  if (isTooOld(file, rules, nowMs))
    return { code: 'too_old', words: `the newest file is from ${localTime(file.modifiedAtMs)}` }
  return 'read'
}

/** Whether some program has the file open for writing; absent where the system does not say. */
export type Writer = 'open' | 'none' | undefined

export const LOCKED: Verdict = { code: 'locked', words: 'a program still has the file open for writing' }

/** What size and first bytes say of a file that is complete. `undefined`: nothing against it. */
export function judgeContent(
  file: SeenFile,
  head: Head,
  rules: BackupConfig,
  goodSizes: readonly number[],
): Verdict | undefined {
  return judgeSize(file.sizeBytes, rules, goodSizes) ?? contentProblem(file, head, rules)
}

const DEFAULT_PERCENT_OF_MEDIAN = 50

export function judgeSize(
  sizeBytes: number,
  rules: BackupConfig,
  goodSizes: readonly number[],
): Required<Verdict> | undefined {
  if (sizeBytes === 0) return { code: 'empty', words: 'the backup file is empty' }
  const { minSizeBytes = 0, minPercentOfMedian = DEFAULT_PERCENT_OF_MEDIAN } = rules
  if (sizeBytes < minSizeBytes) {
    const words = `${sizeBytes} bytes is less than the ${minSizeBytes} bytes that a good backup has`
    return { code: 'too_small', words }
  }
  const medianBytes = median(goodSizes)
  if (medianBytes === undefined || sizeBytes * 100 >= medianBytes * minPercentOfMedian) return undefined
  const rule = `less than ${minPercentOfMedian} % of ${medianBytes}, the median of the last good ones`
  const wayOut = `if that is right: onec-agent backup accept --name ${JSON.stringify(rules.name)}`
  return { code: 'shrunken', words: `${sizeBytes} bytes is ${rule}; ${wayOut}` }
}

export function judgeIntegrity(result: IntegrityResult, goodDigest: string | undefined): Verdict {
  if (result.code !== 'whole') return result
  const isSame = result.digest !== undefined && result.digest === goodDigest
  return isSame ? { code: 'unchanged', words: 'the same content as the last good one' } : { code: 'good' }
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  return upper === undefined || lower === undefined ? undefined : Math.round((upper + lower) / 2)
}
