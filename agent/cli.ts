import { Command, InvalidArgumentError, Option } from 'commander'
import { displayName } from '../shared/host-config.ts'
import { BACKUP_STATES } from '../shared/wire.ts'
import { type StoredReport, writeReport } from './backup/inbox.ts'
import { inboxOf } from './backup/ledger.ts'
import { buildReport, type GivenReport } from './backup/report.ts'
import { type BackupRun, runBackup } from './backup/run.ts'
import { systemClock } from './clock.ts'
import { plainInventory } from './collect/inventory.ts'
import { type Environment, readEffectiveConfig, readEnvironment, type StatePaths, statePaths } from './config.ts'
import { parseDuration } from './duration.ts'
import { enrol } from './enrol.ts'
import { describeError } from './error.ts'
import { readTextIfThere } from './file.ts'
import { keepHeapSmall } from './heap.ts'
import { readOwner } from './lock.ts'
import { createLog } from './log.ts'
import { formatSnapshot, takeOnce } from './once.ts'
import { exchange } from './relay.ts'
import { runAgent } from './run.ts'
import { conditionOf, formatStatus, readStatus } from './status.ts'
import { VERSION } from './version.ts'

const log = createLog(systemClock, { out: process.stdout, err: process.stderr })

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** The command line. Actions fail with a UserError for what a person can put right. */
export function buildProgram(): Command {
  const program = new Command('onec-agent')
    .description('Takes a snapshot of this machine and its backups every minute and sends it to the relay.')
    // `--state` is also what `backup report` calls the backup's: each belongs to the word before it.
    .enablePositionalOptions()
    .addOption(stateOption())
  for (const command of [enrolCommand(), runCommand(), onceCommand(), statusCommand()])
    program.addCommand(command.addOption(stateOption()))
  program.addCommand(backupCommand())
  program
    .command('version')
    .description('Print the version')
    .action(() => print(VERSION))
  return program
}

interface Context {
  readonly environment: Environment
  readonly paths: StatePaths
}

const stateOption = (): Option =>
  new Option('--state <dir>', 'state directory (default: ONEC_AGENT_STATE, or the usual place)')

/** The state directory as the nearest command before or at `command` has it, else the environment's. */
function contextOf(command: Command | null): Context {
  const environment = readEnvironment()
  for (let at = command; at; at = at.parent) {
    const { state } = at.opts<{ state?: string }>()
    if (state !== undefined) return { environment, paths: statePaths(state) }
  }
  return { environment, paths: statePaths(environment.stateDirectory) }
}

function enrolCommand(): Command {
  return new Command('enrol')
    .description("Trade an enrolment code for this host's own token")
    .requiredOption('--relay <url>', "the relay's URL")
    .requiredOption('--code <code>', 'from `onec-relay enrol create`')
    .option('--name <name>', "what people call this host (default: the machine's name)")
    .option('--allow-http', 'plain http beyond this machine: the token is readable on the way', false)
    .action(async (options: { relay: string; code: string; name?: string; allowHttp: boolean }, command: Command) => {
      const { paths } = contextOf(command)
      const { hostId, routes } = await enrol(paths, { ...options, os: plainInventory() }, exchange)
      print(`Enrolled as ${hostId} at ${routes.join(', ')}. Next: onec-agent run`)
    })
}

function runCommand(): Command {
  return new Command('run').description('Take and send snapshots until stopped').action(async (_, command: Command) => {
    const { environment, paths } = contextOf(command)
    keepHeapSmall()
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
    await runAgent({ paths, environment, clock: systemClock, log, exchange, random: Math.random }, stop.signal)
  })
}

function onceCommand(): Command {
  return new Command('once')
    .description('Take one snapshot and print it; nothing is sent')
    .option('--json', 'as JSON', false)
    .action(async (options: { json: boolean }, command: Command) => {
      const { environment, paths } = contextOf(command)
      const once = await takeOnce(paths, environment, systemClock)
      print(options.json ? JSON.stringify(once.snapshot, undefined, 2) : formatSnapshot(once))
    })
}

function statusCommand(): Command {
  return new Command('status')
    .description('What the agent does, and what keeps it from it')
    .option('--json', 'as JSON', false)
    .action((options: { json: boolean }, command: Command) => {
      const { paths } = contextOf(command)
      const condition = conditionOf({
        enrolled: readTextIfThere(paths.config) !== undefined,
        removed: readTextIfThere(paths.removed) !== undefined,
        owner: readOwner(paths.lock),
      })
      const view = { condition, stateDirectory: paths.directory, agent: readStatus(paths.status) ?? null }
      print(options.json ? JSON.stringify(view, undefined, 2) : formatStatus(view, systemClock.nowMs()))
    })
}

function backupCommand(): Command {
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
