import { Command, InvalidArgumentError, Option } from 'commander'
import { displayName } from '../../shared/host-config.ts'
import { BACKUP_STATES } from '../../shared/wire.ts'
import { is1C, optionOf1C } from '../backup/dump-result.ts'
import { type StoredReport, writeReport } from '../backup/inbox.ts'
import { inboxOf, readKnown } from '../backup/ledger.ts'
import { buildReport, type GivenReport } from '../backup/report.ts'
import { type BackupRun, runBackup } from '../backup/run.ts'
import { readTime } from '../backup/status-file.ts'
import { systemClock } from '../clock.ts'
import { type Environment, readEffectiveConfig, type StatePaths } from '../config.ts'
import { parseDuration } from '../duration.ts'
import { describeError, UserError } from '../error.ts'
import { endAfterOutput } from '../exit.ts'
import { credentialCommand } from './backup-credential.ts'
import { contextOf, log, print, stateOption } from './context.ts'

export function backupCommand(): Command {
  const name = () => new Option('--name <name>', 'name of the backup').argParser(parseName).makeOptionMandatory()
  const run = new Command('run')
    .description('Run a backup command and report how it ended; its output and exit code pass through')
    .addOption(name())
    .addOption(stateOption())
    .option('--timeout <duration>', 'kill it after this long: 90s, 30m, 2h', parseTimeout)
    .option('--file <path>', 'path or glob of the file it writes')
    .option('--dump-result <path>', "file of 1C's own result (default: what /DumpResult names in the command)")
    .option('--unchanged-exit <code>', 'exit code that means: nothing has changed, no new file', parseExitCode)
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
    .option('--started <time>', 'when it began, for example 2026-11-25T23:00', parseTime)
    .option('--completed <time>', 'when it ended (default: now)', parseTime)
    .option('--file <path>', 'path or glob of the backup file')
    .option('--reason <text>', 'why')
    .action(reportBackupAction)
  const accept = new Command('accept')
    .description('Take the present size of a backup for right: its earlier sizes are forgotten')
    .addOption(name())
    .addOption(stateOption())
    .action(acceptAction)
  const backup = new Command('backup').description('Tell of backups; none of it proves that one restores: try it')
  for (const command of [run, report, accept, credentialCommand()]) backup.addCommand(command)
  return backup
}

async function runBackupAction(
  command: string[],
  options: { name: string; timeout?: number; file?: string; dumpResult?: string; unchangedExit?: number },
  self: Command,
): Promise<void> {
  const { environment, paths } = contextOf(self)
  const { name, timeout: timeoutMs, file, dumpResult, unchangedExit } = options
  const goodSizes = recallSizes(paths, name)
  const run: BackupRun = { name, command, timeoutMs, file, dumpResult, unchangedExit, goodSizes }
  const dumps = is1C(command) || command.some(word => /[/-]DumpIB\b/i.test(word))
  if (dumps && dumpResult === undefined && optionOf1C(command, 'DumpResult') === undefined)
    log(
      'warn',
      '1C may end with 0 although it failed: add /DumpResult FILE to it, or name its file: --dump-result FILE',
    )
  const config = readConfigForBackup(paths, environment)
  process.exitCode = await runBackup(run, config, systemClock, stored => keepReport(paths, stored))
  // A dead file server would keep this process from its end for as long as the system waits for it.
  await endAfterOutput(process.exitCode)
}

/** A damaged ledger costs the comparison with earlier sizes, never the backup. */
function recallSizes(paths: StatePaths, name: string): readonly number[] | undefined {
  try {
    return readKnown(paths.backups, name)?.goodSizes
  } catch {
    return undefined
  }
}

function acceptAction({ name }: { name: string }, self: Command): void {
  const { paths } = contextOf(self)
  const known = readKnown(paths.backups, name)
  if (!known) throw new UserError(`Nothing is known of a backup "${name}". See the names: onec-agent doctor`)
  reportLost(writeReport(inboxOf(paths.backups), { ...known.stored, atMs: systemClock.nowMs(), forgetSizes: true }))
  print(`The sizes of ${name} until now are forgotten: the next look or run judges it anew.`)
}

async function reportBackupAction(
  options: {
    name: string
    state: GivenReport['state']
    size?: number
    duration?: number
    started?: number
    completed?: number
    file?: string
    reason?: string
  },
  self: Command,
): Promise<void> {
  // Its own `--state` is the backup's.
  const { environment, paths } = contextOf(self.parent)
  const { name, state, file, reason } = options
  const times = { durationMs: options.duration, startedAtMs: options.started, completedAtMs: options.completed }
  const given = { name, state, sizeBytes: options.size, ...times, file, reason: reason?.slice(0, 500) }
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

const ADMINISTRATOR = process.platform === 'win32' ? 'administrators and SYSTEM' : 'root (sudo)'

/** A report that cannot be kept is said, and does not fail the backup. */
function keepReport(paths: StatePaths, stored: StoredReport): void {
  try {
    reportLost(writeReport(inboxOf(paths.backups), stored))
  } catch (error) {
    log(
      'error',
      `The report of this backup is lost: ${describeError(error)}. ${paths.directory} is open to ${ADMINISTRATOR} alone: run it so, or let the script write a status file.`,
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

/** Longer than a timer of Node can wait, and it would kill at once. */
const MAX_TIMEOUT_MS = 500 * 3_600_000

function parseTimeout(text: string): number {
  const timeoutMs = parseDuration(text) ?? 0
  if (timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS) return timeoutMs
  throw new InvalidArgumentError('A number with s, m or h, more than 0 and at most 500h, for example 90s or 2h.')
}

function parseSize(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('A whole number of bytes.')
  return Number(text)
}

function parseExitCode(text: string): number {
  if (!/^\d{1,10}$/.test(text) || text === '0') throw new InvalidArgumentError('An exit code other than 0.')
  return Number(text)
}

function parseTime(text: string): number {
  const ms = readTime(text)
  if (ms === undefined) throw new InvalidArgumentError('A time, for example 2026-11-25T23:00, local without a zone.')
  return ms
}
