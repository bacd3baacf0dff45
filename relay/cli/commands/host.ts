import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { BackupView, HostDetail, HostView } from '../../tenant/rpc.ts'
import type { CliContext } from '../context.ts'
import { absolute } from '../environment.ts'
import { operatorClient } from '../operator.ts'
import { printJson } from '../print.ts'
import { shellWord } from '../shell-word.ts'
import { plainLine, table } from '../table.ts'
import { systemCode, UserError } from '../user-error.ts'
import { ago, bytes, count, duration, seconds, timestamp } from '../wording.ts'

export function addHostCommands(program: Command, context: CliContext): void {
  const host = program.command('host').description('the machines of a tenant')

  host
    .command('list')
    .description('list the hosts of a tenant')
    .argument('<tenant>', 'id or name')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, options: { json?: boolean }) => {
      const answer = await (await operatorClient(context)).hosts(tenant)
      if (options.json) return printJson(context, answer)
      const none = `No hosts yet.\nNext: onec-relay enrol create ${shellWord(tenant)}`
      context.out(answer.hosts.length > 0 ? hostTable(answer.hosts, context.now()) : none)
    })

  host
    .command('show')
    .description('show what is known of a host and its backups')
    .argument('<tenant>', 'id or name')
    .argument('<host>', 'id or name')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, name: string, options: { json?: boolean }) => {
      const answer = await (await operatorClient(context)).host(tenant, name)
      if (options.json) return printJson(context, answer)
      context.out(hostDetail(answer, context.now()))
    })

  host
    .command('config')
    .description('print what is set for a host, as JSON')
    .argument('<tenant>', 'id or name')
    .argument('<host>', 'id or name')
    .action(async (tenant: string, name: string) => {
      printJson(context, (await (await operatorClient(context)).host(tenant, name)).config)
    })

  host
    .command('configure')
    .description(
      'set the interval, labels, backups, volumes and log files of a host; its agent takes them at its next post',
    )
    .argument('<tenant>', 'id or name')
    .argument('<host>', 'id or name')
    .argument('<file>', 'the whole configuration as JSON; - reads standard input')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, name: string, file: string, options: { json?: boolean }) => {
      const config = await readConfigFile(context, file)
      const answer = await (await operatorClient(context)).setHostConfig(tenant, name, config)
      if (options.json) return printJson(context, answer)
      context.out(`Configuration ${answer.revision} of ${name} is set; its agent takes it at its next post.`)
    })

  host
    .command('remove')
    .description("remove a host: its token is void, its agent stops, and sinks that keep a host's state forget it")
    .argument('<tenant>', 'id or name')
    .argument('<host>', 'id or name')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, name: string, options: { json?: boolean }) => {
      const answer = await (await operatorClient(context)).removeHost(tenant, name)
      if (options.json) return printJson(context, answer)
      context.out(`Removed host ${answer.name}, id ${answer.id}.`)
      context.out(`Next, to take it back: onec-relay enrol create ${shellWord(tenant)}`)
    })
}

/** The relay checks what it says; here it only has to be JSON. */
async function readConfigFile(context: CliContext, file: string): Promise<unknown> {
  const text = file === '-' ? await context.readStdin() : await readFileText(absolute(context.workingDirectory, file))
  try {
    // PowerShell and Notepad put a mark in front.
    return JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    throw new UserError(`${file === '-' ? 'Standard input' : file} is not JSON: ${(error as Error).message}.`, {
      next: 'onec-relay host config TENANT HOST > host.json, edit it, then onec-relay host configure TENANT HOST host.json',
    })
  }
}

async function readFileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${systemCode(error) ?? String(error)}.`)
  }
}

export function hostTable(hosts: readonly HostView[], now: number): string {
  const rows = hosts.map(host => [
    host.name,
    host.id,
    host.clones?.length > 0 ? `${host.state}, cloned` : host.state,
    duration(now - host.stateSinceMs),
    ago(host.lastSeenMs, now),
    host.clockSkewMs === null ? null : seconds(host.clockSkewMs),
    host.clockOffsetMs ? seconds(host.clockOffsetMs) : null,
    host.spool && String(host.spool.pendingBatches),
    host.agent?.version,
  ])
  return table(['NAME', 'ID', 'STATE', 'FOR', 'SEEN', 'SKEW', 'CORRECTED', 'SPOOLED', 'AGENT'], rows)
}

function hostDetail(host: HostDetail, now: number): string {
  const labels = Object.entries(host.config.labels ?? {}).map(([name, value]) => `${name}=${value}`)
  const facts: [string, string | null][] = [
    ['id', host.id],
    ['machine', host.agent ? `${host.hostname}, ${host.agent.os}` : host.hostname],
    ['state', `${host.state} for ${duration(now - host.stateSinceMs)}`],
    ['enrolled', timestamp(host.enrolledAtMs)],
    ['last seen', ago(host.lastSeenMs, now)],
    ['interval', host.agent && duration(host.agent.intervalMs)],
    ['clock skew', host.clockSkewMs === null ? null : seconds(host.clockSkewMs)],
    ['corrected by', correction(host.clockOffsetMs)],
    ...clones(host),
    [
      'spool',
      host.spool && `${host.spool.pendingBatches} batches wait, ${host.spool.droppedSnapshots} snapshots dropped`,
    ],
    ['labels', labels.join(', ') || null],
    ['configuration', `revision ${host.configRevision}`],
    ...host.leftOut.map(({ destination, ageSamples, orderSamples }): [string, string] => [
      'left out',
      `${destination}: ${count(ageSamples)} samples too old for it, ${count(orderSamples)} out of order`,
    ]),
  ]
  const lines = facts.map(([name, value]) => `  ${name.padEnd(14)}${plainLine(value ?? '-')}`)
  return [
    plainLine(host.name),
    ...lines,
    '',
    host.backups.length > 0 ? backupTable(host.backups, now) : 'No backups reported.',
  ].join('\n')
}

/** A relay of the release before says nothing of it. */
function correction(offsetMs: number | null | undefined): string | null {
  return offsetMs ? `${seconds(offsetMs)}; set the clock: w32tm /resync, or timedatectl set-ntp true` : null
}

function clones({ name, clones: kept = [] }: HostDetail): [string, string][] {
  const wayOut = `on the copy: onec-agent enrol … --name NEW-NAME; or enrol the right machine as ${shellWord(name)}`
  return kept.map(({ spoolId, bootId }) => [
    'copy kept out',
    `${bootId === null ? `spool ${spoolId}` : `boot ${bootId} of spool ${spoolId}`}; ${wayOut}`,
  ])
}

function backupTable(backups: readonly BackupView[], now: number): string {
  const rows = backups.map(backup => [
    backup.name,
    backup.state,
    ago(backup.completedAtMs, now),
    backup.sizeBytes === null ? null : bytes(backup.sizeBytes),
    backup.durationMs === null ? null : duration(backup.durationMs),
    timestamp(backup.dueAtMs),
    backup.reason,
  ])
  return table(['BACKUP', 'STATE', 'COMPLETED', 'SIZE', 'TOOK', 'DUE', 'REASON'], rows)
}
