import { Command, InvalidArgumentError, Option } from 'commander'
import { displayName } from '../../shared/host-config.ts'
import { BACKUP_STATES } from '../../shared/wire.ts'
import { type StoredReport, writeReport } from '../backup/inbox.ts'
import { inboxOf } from '../backup/ledger.ts'
import { buildReport, type GivenReport } from '../backup/report.ts'
import { type BackupRun, runBackup } from '../backup/run.ts'
import { systemClock } from '../clock.ts'
import { type Environment, readEffectiveConfig, type StatePaths } from '../config.ts'
import { parseDuration } from '../duration.ts'
import { describeError } from '../error.ts'
import { contextOf, log, print, stateOption } from './context.ts'

export function backupCommand(): Command {
  const name = () => new Option('--name <name>', 'name of the backup').argParser(parseName).makeOptionMandatory()
  const run = new Command('run')
    .description('Run a backup command and report how it ended; its output and exit code pass through')
    .addOption(name())
    .addOption(stateOption())
    .option('--timeout <duration>', 'kill it after this long: 90s, 30m, 2h', parseDurationOption)
    .option('--file <path>', 'path or glob of the file it writes')
    .argument('<command...>', 'the command, after --')
    .action(runBackupAction)
  const report = new Command('report')
    .description(
      'Report a backup that something else made; the state directory goes before: onec-agent --state DIR backup …',
    )
    .addOption(name())
    .addOption(new Option('--state <state>', 'how it ended').choices(BACKUP_STATES).makeOptionMandatory())
    .option('--size <bytes>', 'size in bytes', parseSize)
    .option('--duration <duration>', 'how long it took: 90s, 30m, 2h', parseDurationOption)
    .option('--file <path>', 'path or glob of the backup file')
    .option('--reason <text>', 'why')
    .action(reportBackupAction)
  return new Command('backup').description('Tell of backups').addCommand(run).addCommand(report)
}

async function runBackupAction(
  command: string[],
  options: { name: string; timeout?: number; file?: string },
  self: Command,
): Promise<void> {
  const { environment, paths } = contextOf(self)
  const run: BackupRun = { name: options.name, command, timeoutMs: options.timeout, file: options.file }
  const config = readConfigForBackup(paths, environment)
  process.exitCode = await runBackup(run, config, systemClock, stored => keepReport(paths, stored))
}

async function reportBackupAction(
  options: {
    name: string
    state: GivenReport['state']
    size?: number
    duration?: number
    file?: string
    reason?: string
  },
  self: Command,
): Promise<void> {
  // Its own `--state` is the backup's.
  const { environment, paths } = contextOf(self.parent)
  const { name, state, size, duration, file, reason } = options
  const given = { name, state, sizeBytes: size, durationMs: duration, file, reason: reason?.slice(0, 500) }
  const stored = await buildReport(given, readEffectiveConfig(paths, environment), systemClock.nowMs())
  reportLost(writeReport(inboxOf(paths.backups), stored))
  print(`Reported: ${name} is ${stored.report.state}${stored.report.reason ? ` (${stored.report.reason})` : ''}`)
}

/** A damaged configuration costs its rules for this backup, never the backup. */
function readConfigForBackup(paths: StatePaths, environment: Environment) {
  try {
    return readEffectiveConfig(paths, environment)
  } catch (error) {
    log('error', `The backup runs without the configured rules: ${describeError(error)}`)
    return {}
  }
}

/** A report that cannot be kept is said, and does not fail the backup. */
function keepReport(paths: StatePaths, stored: StoredReport): void {
  try {
    reportLost(writeReport(inboxOf(paths.backups), stored))
  } catch (error) {
    log(
      'error',
      `The report of this backup is lost: ${describeError(error)}. May this user write to ${paths.directory}?`,
    )
  }
}

function reportLost(count: number): void {
  if (count > 0) log('warn', `${count} older backup reports were given up: no agent took them. Is onec-agent running?`)
}

function parseName(text: string): string {
  const parsed = displayName.safeParse(text)
  if (!parsed.success) throw new InvalidArgumentError('1 to 128 characters, no control characters.')
  return parsed.data
}

function parseDurationOption(text: string): number {
  const durationMs = parseDuration(text)
  if (durationMs === undefined) throw new InvalidArgumentError('A number with s, m or h, for example 90s or 2h.')
  return durationMs
}

function parseSize(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('A whole number of bytes.')
  return Number(text)
}
