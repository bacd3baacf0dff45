import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { atMost, type Budget, tableOf } from '../figures.ts'
import { buildLinuxAgent, forgetPages } from './executable.ts'
import { nodeExporter } from './node-exporter.ts'
import { openSeat } from './seat.ts'
import { countSpawns, measureSideBySide, measureStarts } from './sections.ts'
import { zabbixAgent2 } from './zabbix-agent2.ts'

/** `npm run bench:agent -- [--snapshots N] [--json FILE]`: see README.md. */

/** 0.05 % of a core at one snapshot a minute is 30 ms. */
const BUDGETS: Readonly<Record<string, Budget>> = {
  rss_mb: atMost(85, ', goal 60'),
  cpu_ms_per_snapshot: { words: '< 30', holds: value => value < 30 },
  spawns_per_snapshot: { words: '0', holds: value => value === 0 },
}

const { values } = parseArgs({ options: { json: { type: 'string' }, snapshots: { type: 'string', default: '200' } } })
const rounds = Number(values.snapshots)
if (!Number.isInteger(rounds) || rounds < 50) {
  console.error('npm run bench:agent -- [--snapshots 200] [--json FILE]; at least 50 snapshots')
  process.exit(2)
}

const startedAtMs = Date.now()
const folder = await mkdtemp(join(tmpdir(), 'onec-bench-agent-'))
try {
  const agent = await buildLinuxAgent(folder)
  for (const file of [agent.file, nodeExporter.file(), zabbixAgent2.file()]) forgetPages(file)
  const seat = await openSeat(agent.file)
  try {
    const sideBySide = await measureSideBySide(seat, rounds)
    const starts = await measureStarts(seat)
    const spawns = await countSpawns(seat)
    const { agent: own, nodeExporter: exporter, zabbixAgent2: zabbix } = sideBySide
    const figures = {
      rss_mb: own.rssMb,
      cpu_ms_per_snapshot: own.cpuMsPerRound,
      spawns_per_snapshot: spawns.later / spawns.snapshots,
      start_ms: starts.medianMs,
      exe_mb: agent.sizeBytes / 1e6,
      node_exporter_rss_mb: exporter.rssMb,
      node_exporter_cpu_ms_per_scrape: exporter.cpuMsPerRound,
      zabbix_agent2_rss_mb: zabbix.rssMb,
      zabbix_agent2_cpu_ms_per_round: zabbix.cpuMsPerRound,
    }
    const details = { snapshots: rounds, ...sideBySide, starts_ms: starts.all, spawns }
    const machine = { cpus: cpus().length, cpu: cpus()[0]?.model, kernel: release(), node: process.version }
    const report = { ...figures, details, machine, at: new Date(startedAtMs).toISOString() }
    console.log(`${tableOf(figures, BUDGETS)}\n\ndetails ${JSON.stringify(details, null, 2)}`)
    if (values.json) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`)
  } finally {
    await seat.close()
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
