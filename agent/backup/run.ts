import type { HostConfig } from '../../shared/host-config.ts'
import type { BackupReport } from '../../shared/wire.ts'
import type { Clock } from '../clock.ts'
import { describeError } from '../error.ts'
import { identifyProcess } from '../identity.ts'
import { type CommandEnd, runCommand } from './command.ts'
import { clearDumpResult, dumpResultProblem, optionOf1C } from './dump-result.ts'
import { type BackupPlace, configuredPlace, findBackupFile, placeText } from './file.ts'
import type { StoredReport } from './inbox.ts'
import { backupOf } from './known.ts'
import { judgeSize, type SeenFile } from './verdict.ts'
import { reasonOf } from './wording.ts'

export interface BackupRun {
  readonly name: string
  readonly command: readonly string[]
  readonly timeoutMs?: number | undefined
  /** Path or glob of what the command writes. */
  readonly file?: string | undefined
  /** Where 1C writes its result; found in the command line where it says so. */
  readonly dumpResult?: string | undefined
  /** The exit code by which the command says that the base has not changed, and so there is no new file. */
  readonly unchangedExit?: number | undefined
  /** Bytes of the last good ones. */
  readonly goodSizes?: readonly number[] | undefined
}

/**
 * Runs a backup command and reports its start and its end; resolves to the command's own exit code. `write` may not
 * throw: a report that cannot be kept is no reason to fail a backup.
 */
export async function runBackup(
  run: BackupRun,
  config: HostConfig,
  clock: Clock,
  write: (stored: StoredReport) => void,
): Promise<number> {
  const startedAtMs = clock.nowMs()
  const startedMonoMs = clock.monoMs()
  const started = emptyReport(run.name, startedAtMs)
  write({ atMs: startedAtMs, report: started, process: identifyProcess(process.pid) })
  const dumpResult = run.dumpResult ?? optionOf1C(run.command, 'DumpResult')
  if (dumpResult !== undefined) clearDumpResult(dumpResult)
  const end = await runCommand(run.command, run.timeoutMs)
  const durationMs = Math.round(clock.monoMs() - startedMonoMs)
  const place = run.file ?? configuredPlace(config, run.name) ?? optionOf1C(run.command, 'DumpIB')
  const { file, problem } = place === undefined ? {} : await lookFor(place, startedAtMs, clock)
  const completedAtMs = Math.max(clock.nowMs(), startedAtMs)
  const verdict =
    end.exitCode === run.unchangedExit && end.failure?.startsWith('exit code')
      ? UNCHANGED
      : judgeRun(
          end,
          run,
          config,
          [dumpResult === undefined ? undefined : dumpResultProblem(dumpResult, startedAtMs), problem],
          file,
        )
  const report = { ...started, ...verdict, completedAtMs, durationMs, sizeBytes: file?.sizeBytes ?? null }
  write({ atMs: completedAtMs, report, ...(file && { file: file.path }) })
  return end.exitCode
}

/** A folder with very many files on a slow NAS takes minutes; a dead one for ever. */
const LOOK_DEADLINE_MS = 5 * 60_000

async function lookFor(place: string | BackupPlace, sinceMs: number, clock: Clock): Promise<FoundFile> {
  const done = new AbortController()
  const text = placeText(place)
  const found = findBackupFile(place, sinceMs).then<FoundFile, FoundFile>(
    file => (file ? { file } : { problem: reasonOf('no_file', `no new file matches ${text}`) }),
    error => ({ problem: reasonOf('unreachable', `${text} cannot be looked at: ${describeError(error)}`) }),
  )
  const late = clock.sleep(LOOK_DEADLINE_MS, done.signal).then<FoundFile>(() => {
    return { problem: reasonOf('unreachable', `${text} did not answer within ${LOOK_DEADLINE_MS / 1000} s`) }
  })
  return await Promise.race([found, late]).finally(() => done.abort())
}

interface FoundFile {
  readonly file?: SeenFile
  readonly problem?: string
}

type RunVerdict = Pick<BackupReport, 'state' | 'reason'>

const UNCHANGED: RunVerdict = { state: 'unchanged', reason: null }

/** Good is: exit code 0, 0 as 1C's own result where there is one, and, where a file is known, a new one that is large enough. */
function judgeRun(
  end: CommandEnd,
  { name, goodSizes = [] }: BackupRun,
  config: HostConfig,
  problems: readonly (string | undefined)[],
  file: SeenFile | undefined,
): RunVerdict {
  const rules = backupOf(config, name) ?? { name }
  const small = file && judgeSize(file.sizeBytes, rules, goodSizes)
  const reason =
    end.failure ?? problems.find(problem => problem !== undefined) ?? (small && reasonOf(small.code, small.words))
  return reason === undefined ? { state: 'ok', reason: null } : { state: 'failed', reason: reason.slice(0, 500) }
}

function emptyReport(name: string, startedAtMs: number): BackupReport {
  const nothing = { reason: null, completedAtMs: null, sizeBytes: null, durationMs: null, dueAtMs: null }
  return { name, state: 'running', source: 'run', startedAtMs, ...nothing }
}
