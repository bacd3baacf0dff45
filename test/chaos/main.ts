import { rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { FLEETS, HOSTS, SHAKY_HOSTS } from './arena.ts'
import { BREAKS, type Break, breakRelay } from './broken-relay.ts'
import { type Fault, planRounds } from './plan.ts'
import { runChaos } from './run.ts'

/** `npm run chaos -- --rounds N --seed S [--json FILE] [--break KIND]`: see README.md. */

const USAGE = `npm run chaos -- [--rounds 20] [--seed 1] [--json FILE] [--break ${BREAKS.join('|')}]`

const RELAY_LINES = 60

interface Options {
  readonly rounds: number
  readonly seed: number
  readonly json: string | undefined
  readonly broken: Break | undefined
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      break: { type: 'string' },
    },
  })
  const broken = BREAKS.find(kind => kind === values.break)
  const [rounds, seed] = [Number(values.rounds), Number(values.seed)]
  const isGood = Number.isInteger(rounds) && rounds > 0 && Number.isInteger(seed)
  if (!isGood || (values.break !== undefined && !broken)) {
    console.error(USAGE)
    process.exit(2)
  }
  return { rounds, seed, json: values.json, broken }
}

function planOf({ seed, rounds, broken }: Options): Fault[][] {
  const relayKills = broken === 'ack-early' ? 2 : undefined
  return planRounds({
    seed,
    rounds,
    hosts: HOSTS,
    fleets: FLEETS,
    shakyHosts: SHAKY_HOSTS,
    ...(relayKills !== undefined && { relayKills }),
  })
}

/** What the relay said beside its everyday. */
function notable(output: string): string {
  const lines = output.split('\n').filter(line => line !== '' && !/^Sent \d+ /.test(line))
  return lines.slice(-RELAY_LINES).join('\n')
}

const options = readOptions()
const plan = planOf(options)
const bundle = options.broken && (await breakRelay(options.broken))
const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new Error('interrupted')))
process.once('SIGTERM', () => stop.abort(new Error('interrupted')))
const { relayOutput, ...result } = await runChaos(plan, bundle, stop.signal)
if (bundle) rmSync(dirname(bundle), { recursive: true })

const { rounds, seed, broken } = options
const ok = result.failures.length === 0
const report = { rounds, seed, ...(broken && { break: broken }), ...result, ok }
if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
console.log(JSON.stringify(report, null, 2))
if (!ok) {
  console.log(notable(relayOutput))
  const again = `--rounds ${rounds} --seed ${seed}${broken ? ` --break ${broken}` : ''}`
  console.log(`Seed ${seed} failed. Again: npm run chaos -- ${again}`)
}
console.log(`${ok ? rounds : 0} passed, ${result.failures.length} failed`)
process.exit(ok ? 0 : 1)
