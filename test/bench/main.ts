import { writeFile } from 'node:fs/promises'
import { cpus, release } from 'node:os'
import { parseArgs } from 'node:util'
import { tableOf } from './figures.ts'
import { openFixture } from './fixture.ts'
import { type Measurements, SECTIONS, type Section } from './sections.ts'

const { values } = parseArgs({
  options: { json: { type: 'string' }, only: { type: 'string' } },
})

const wanted = values.only?.split(',') ?? Object.keys(SECTIONS)
const unknown = wanted.filter(name => !Object.hasOwn(SECTIONS, name))
if (unknown.length > 0) {
  console.error(`There is no section ${unknown.join(', ')}. Use some of: --only ${Object.keys(SECTIONS).join(',')}`)
  process.exit(2)
}

const startedAtMs = Date.now()
const measured: Measurements = { figures: {}, growth: {}, details: {} }
const fixture = await openFixture()
try {
  for (const name of wanted as Section[]) {
    const startMs = performance.now()
    await SECTIONS[name](fixture, measured)
    console.log(`${name}: ${((performance.now() - startMs) / 1000).toFixed(1)} s`)
  }
} finally {
  await fixture.close()
}

console.log(`\n${tableOf(measured.figures)}`)
for (const [name, value] of Object.entries({ growth: measured.growth, details: measured.details }))
  console.log(`\n${name} ${JSON.stringify(value, null, 2)}`)
if (values.json) await writeFile(values.json, `${JSON.stringify(report(), null, 2)}\n`)

function report() {
  const machine = { cpus: cpus().length, cpu: cpus()[0]?.model, kernel: release(), node: process.version }
  const { figures, growth, details } = measured
  return { ...figures, growth, details, machine, at: new Date(startedAtMs).toISOString() }
}
