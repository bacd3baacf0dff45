import type { HostConfig } from '../../shared/host-config.ts'
import type { BackupReport } from '../../shared/wire.ts'
import type { Clock } from '../clock.ts'
import { identifyProcess } from '../identity.ts'
import { type CommandEnd, runCommand } from './command.ts'
import { type BackupFile, configuredPattern, findBackupFile, sizeProblem } from './file.ts'
import type { StoredReport } from './inbox.ts'

export interface BackupRun {
  readonly name: string
  readonly command: readonly string[]
  readonly timeoutMs?: number | undefined
  /** Path or glob of what the command writes. */
  readonly file?: string | undefined
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
  const end = await runCommand(run.command, run.timeoutMs)
  const durationMs = Math.round(clock.monoMs() - startedMonoMs)
  const pattern = run.file ?? configuredPattern(config, run.name)
  const file = pattern === undefined ? undefined : await findBackupFile(pattern, startedAtMs).catch(() => undefined)
  const completedAtMs = Math.max(clock.nowMs(), startedAtMs)
  const verdict = judgeRun(end, pattern, file, config, run.name)
  const report = { ...started, ...verdict, completedAtMs, durationMs, sizeBytes: file?.sizeBytes ?? null }
  write({ atMs: completedAtMs, report, ...(file && { file: file.path }) })
  return end.exitCode
}

/** Good is: exit code 0, and, where a file is known, a new one that is large enough. */
function judgeRun(
  end: CommandEnd,
  pattern: string | undefined,
  file: BackupFile | undefined,
  config: HostConfig,
  name: string,
): Pick<BackupReport, 'state' | 'reason'> {
  const missing = pattern !== undefined && !file ? `no new file matches ${pattern}` : undefined
  const reason = end.failure ?? missing ?? (file && sizeProblem(file.sizeBytes, config, name))
  return reason === undefined ? { state: 'ok', reason: null } : { state: 'failed', reason: reason.slice(0, 500) }
}

function emptyReport(name: string, startedAtMs: number): BackupReport {
  const nothing = { reason: null, completedAtMs: null, sizeBytes: null, durationMs: null, dueAtMs: null }
  return { name, state: 'running', source: 'run', startedAtMs, ...nothing }
}
