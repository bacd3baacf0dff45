import { stat } from 'node:fs/promises'
import path from 'node:path'
import * as z from 'zod'
import type { BackupConfig } from '../../shared/host-config.ts'
import type { BackupReport } from '../../shared/wire.ts'
import { placeProblem } from './directory.ts'
import { isForgotten, localTime, nextDue } from './due.ts'
import { dueOf } from './known.ts'
import type { Recollection } from './ledger.ts'
import { readFileBy } from './reader.ts'
import { seeFile } from './scan.ts'
import { decodeText } from './text.ts'
import { FUTURE_TOLERANCE_MS, identityOf, judgeSize, type SeenFile } from './verdict.ts'
import type { Look, LookDeps, Looked } from './watch.ts'

/** What a status file can say, and the state that it means. */
export const STATUS_CODES = {
  said_ok: 'ok',
  said_unchanged: 'unchanged',
  said_failed: 'failed',
  said_running: 'running',
  said_unknown: 'unknown',
  /** Not what a status file is. */
  status_unreadable: 'unknown',
} as const satisfies Record<string, BackupReport['state']>
export type StatusCode = keyof typeof STATUS_CODES

const MAX_BYTES = 64 * 1024

/** Words that scripts use, beside those of the wire. */
const STATES: Readonly<Record<string, StatusCode>> = {
  ok: 'said_ok',
  success: 'said_ok',
  completed: 'said_ok',
  unchanged: 'said_unchanged',
  skipped: 'said_unchanged',
  failed: 'said_failed',
  failure: 'said_failed',
  error: 'said_failed',
  running: 'said_running',
  unknown: 'said_unknown',
}

export interface SaidStatus {
  readonly code: Exclude<StatusCode, 'status_unreadable'>
  readonly startedAtMs: number | null
  readonly completedAtMs: number | null
  readonly sizeBytes: number | null
  readonly durationMs: number | null
  readonly reason: string | undefined
  readonly file: string | undefined
}

/** A time as a script writes it: ISO 8601, epoch milliseconds, or what Windows PowerShell 5 makes of a date. */
const time = z.preprocess(
  value => readTime(value) ?? value,
  z
    .int('a time is ISO 8601 or epoch milliseconds')
    .min(1_577_836_800_000, 'a time is after 2020')
    .max(4_102_444_800_000),
)
const bytes = z.coerce.number().int().min(0)

const statusSchema = z.object({
  state: z
    .string()
    .transform(word => STATES[word.trim().toLowerCase()])
    .pipe(z.enum(['said_ok', 'said_unchanged', 'said_failed', 'said_running', 'said_unknown'])),
  startedat: time.nullish(),
  completedat: time.nullish(),
  sizebytes: bytes.nullish(),
  durationms: bytes.nullish(),
  reason: z.string().nullish(),
  file: z.string().nullish(),
})

/** What the bytes of a status file say, or why they say nothing. Capitals and underscores in names do not matter. */
export function readStatus(content: Buffer): SaidStatus | { readonly problem: string } {
  let value: unknown
  try {
    value = JSON.parse(decodeText(content))
  } catch {
    return { problem: 'it is no JSON' }
  }
  if (typeof value !== 'object' || value === null) return { problem: 'it is no JSON object' }
  const plain = Object.entries(value).map(([name, each]) => [name.toLowerCase().replaceAll('_', ''), each])
  const parsed = statusSchema.safeParse(Object.fromEntries(plain))
  if (!parsed.success)
    return { problem: `${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}` }
  const { state: code, startedat: startedAtMs = null, completedat: completedAtMs = null, ...rest } = parsed.data
  const took = startedAtMs !== null && completedAtMs !== null ? Math.max(completedAtMs - startedAtMs, 0) : null
  return {
    code,
    startedAtMs,
    completedAtMs,
    sizeBytes: rest.sizebytes ?? null,
    durationMs: rest.durationms ?? took,
    reason: rest.reason?.trim() || undefined,
    file: rest.file?.trim() || undefined,
  }
}

const ISO = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/
/** What `%DATE% %TIME%` is in Russian: `25.11.2026 23:40:00,15`, or ` 3:40:00,15` before ten. */
const RUSSIAN = /^(\d{2})\.(\d{2})\.(\d{4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?$/

/** Epoch milliseconds; without a zone it is the host's local time. Absent for what is no time. */
export function readTime(value: unknown): number | undefined {
  // PowerShell 5: "/Date(1795400000000)/", or an object around it when the date came from Get-Date.
  if (typeof value === 'object' && value !== null && 'value' in value) return readTime(value.value)
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  const wrapped = /^\/Date\((\d+)(?:[+-]\d{4})?\)\/$/.exec(text)?.[1]
  if (wrapped !== undefined) return Number(wrapped)
  const [, day, month, year, hour, minute, second = 0] = RUSSIAN.exec(text)?.map(Number) ?? []
  if (day && month && year) return new Date(year, month - 1, day, hour, minute, second || 0).getTime()
  if (!ISO.test(text)) return undefined
  const ms = Date.parse(text.replace(/[.,](\d{1,3})\d*/, '.$1').replace(' ', 'T'))
  return Number.isNaN(ms) ? undefined : ms
}

export function statusFileLook(backup: BackupConfig, file: string, deps: LookDeps): Look {
  return async (memory, recollection) => {
    try {
      await deps.shares.connect(file)
      const seen = await deps.lane.run(file, () => seeFile(file))
      // Without its folder it is not the script that is missing: a drive of a user's, a NAS that is off.
      if (!seen) await deps.lane.run(file, () => stat(path.dirname(file)))
      if (!seen) return { ...absent(backup, recollection, deps.clock.nowMs()), memory: { ...memory, file: undefined } }
      const isStable = memory.file !== undefined && identityOf(memory.file) === identityOf(seen)
      const looked = { ...memory, file: seen }
      return await take(seen, isStable, backup, recollection, deps).then(finding => ({ ...finding, memory: looked }))
    } catch (error) {
      deps.shares.lost(file)
      return { finding: { ...placeProblem(error, file), key: '' }, memory }
    }
  }
}

/** What cannot be read is told only when it stays so: a script may be writing it. */
async function take(
  seen: SeenFile,
  isStable: boolean,
  backup: BackupConfig,
  { known, expectedSinceMs }: Recollection,
  { lane, clock }: LookDeps,
): Promise<Pick<Looked, 'finding'>> {
  if (seen.sizeBytes > MAX_BYTES) return unreadable(seen, `the status file has over ${MAX_BYTES} bytes`)
  const said = readStatus(await readFileBy(lane, seen, reader => reader.read(0, seen.sizeBytes)))
  if ('problem' in said) return isStable ? unreadable(seen, `the status file cannot be read: ${said.problem}`) : {}
  const nowMs = clock.nowMs()
  const completedAtMs = said.completedAtMs ?? seen.modifiedAtMs
  if (said.code !== 'said_running' && completedAtMs > nowMs + FUTURE_TOLERANCE_MS) {
    const words = `it says that the backup ended at ${localTime(completedAtMs)}, which is yet to come: set the clock`
    return { finding: { code: 'future', words, key: String(completedAtMs) } }
  }
  const missedMs = dueOf(known, backup, expectedSinceMs)
  const sinceMs = said.startedAtMs ?? seen.modifiedAtMs
  if (said.code === 'said_running' && missedMs !== null && isForgotten(sinceMs, missedMs, nowMs))
    return { finding: lateFinding(missedMs, `the status file says that it runs since ${localTime(sinceMs)}`) }
  const due = nextDue(backup, completedAtMs)
  const isGood = said.code === 'said_ok' || said.code === 'said_unchanged'
  if (isGood && due !== undefined && nowMs >= due)
    return { finding: lateFinding(due, 'the status file says nothing newer') }
  return { finding: saidFinding(said, completedAtMs, backup, known?.goodSizes ?? []) }
}

function saidFinding(said: SaidStatus, completedAtMs: number, backup: BackupConfig, goodSizes: readonly number[]) {
  const { startedAtMs, sizeBytes, durationMs, reason, file } = said
  const small = said.code === 'said_ok' && sizeBytes !== null ? judgeSize(sizeBytes, backup, goodSizes) : undefined
  const run = { startedAtMs, completedAtMs, sizeBytes, durationMs }
  const key = said.code === 'said_running' ? String(startedAtMs) : String(completedAtMs)
  const words = small?.words ?? reason
  return { code: small?.code ?? said.code, words, key, run, ...(file !== undefined && { file }) }
}

const unreadable = (seen: SeenFile, words: string) => ({
  finding: { code: 'status_unreadable' as const, words, key: identityOf(seen), file: seen.path },
})

const lateFinding = (due: number, words: string) => ({ code: 'late' as const, words, key: String(due) })

function absent(
  backup: BackupConfig,
  { known, expectedSinceMs }: Recollection,
  nowMs: number,
): Pick<Looked, 'finding'> {
  const due = dueOf(known, backup, expectedSinceMs)
  if (due === null || nowMs < due) return {}
  return { finding: lateFinding(due, 'there is no status file') }
}
