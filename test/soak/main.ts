import { writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { parseArgs } from 'node:util'
import { findingsOf, WARM_SNAPSHOTS } from './findings.ts'
import { soak } from './soak.ts'

/** `npm run soak -- --snapshots N [--json FILE]`: see README.md. */

const USAGE = 'npm run soak -- [--snapshots 10000] [--pace-ms 40] [--spool-kb 512] [--json FILE]'

function readOptions() {
  const { values } = parseArgs({
    options: {
      snapshots: { type: 'string', default: '10000' },
      'pace-ms': { type: 'string', default: '40' },
      'spool-kb': { type: 'string', default: '512' },
      json: { type: 'string' },
    },
  })
  const [snapshots, paceMs, spoolKb] = [values.snapshots, values['pace-ms'], values['spool-kb']].map(Number)
  if (!snapshots || !paceMs || !spoolKb || snapshots < 2 * WARM_SNAPSHOTS) {
    console.error(`${USAGE}; at least ${2 * WARM_SNAPSHOTS} snapshots`)
    process.exit(2)
  }
  return { json: values.json, soak: { snapshots, paceMs, spoolBytes: spoolKb * 1024 } }
}

const options = readOptions()
const startMs = performance.now()
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error('interrupted')))
const soaked = await soak(options.soak, stop.signal)
const findings = findingsOf(soaked, options.soak)
const seconds = Math.round((performance.now() - startMs) / 1000)
const machine = { cpus: cpus().length, cpu: cpus()[0]?.model, kernel: release(), node: process.version }
const report = { ...options.soak, seconds, ...findings, machine, ok: findings.failures.length === 0 }
if (options.json)
  writeFileSync(options.json, `${JSON.stringify({ ...report, sightings: soaked.sightings }, null, 2)}\n`)
console.log(JSON.stringify(report, null, 2))

const { rss_mb: rss, handles, snapshots } = findings
console.log(
  `${report.ok ? 'ok' : 'FAILED'}: ${snapshots.taken} snapshots in ${seconds} s: ${snapshots.delivered} delivered, ` +
    `${snapshots.dropped} dropped, ${snapshots.pending} pending, ${snapshots.aside} aside, ${snapshots.missing} missing; ` +
    `RSS ${rss.from.toFixed(1)} → ${rss.to.toFixed(1)} MB (fitted ${rss.fitted.toFixed(2)}), ` +
    `handles ${handles.from} → ${handles.to}, spool at most ${Math.round(findings.spool_max_bytes / 1024)} KB`,
)
for (const failure of findings.failures) console.log(`failed: ${failure}`)
process.exit(report.ok ? 0 : 1)
