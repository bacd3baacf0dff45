import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { drain, FLEETS, HOSTS, openArena, SHAKY_HOSTS } from './arena.ts'
import { BREAKS, type Break, breakRelay } from './broken-relay.ts'
import { enactAll } from './faults.ts'
import { type Fault, planRounds, ROUND_MS } from './plan.ts'
import { gatherLetters, type Letters, settleAccounts } from './settle.ts'

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

async function runRounds(arena: Awaited<ReturnType<typeof openArena>>, plan: Fault[][], letters: Letters) {
  for (const [index, faults] of plan.entries()) {
    const text = faults.map(fault => describe(fault)).join(', ')
    console.log(`round ${index + 1}/${plan.length}: ${text} (accepted batches so far: ${arena.road.counts.accepted})`)
    const over = new Promise(resolve => setTimeout(resolve, ROUND_MS))
    await Promise.all([over, enactAll(faults, arena)])
    await gatherLetters(arena, letters)
  }
}

function describe({ kind, startMs, forMs, ...aim }: Fault): string {
  const at = Object.values(aim).join('/')
  return `${kind}${at ? ` ${at}` : ''} ${startMs}+${forMs} ms`
}

/** What the relay said beside its everyday. */
function notable(output: string): string {
  const lines = output.split('\n').filter(line => line !== '' && !/^Sent \d+ /.test(line))
  return lines.slice(-RELAY_LINES).join('\n')
}

const options = readOptions()
const startedAtMs = performance.now()
const plan = planOf(options)
const bundle = options.broken && (await breakRelay(options.broken))
const arena = await openArena(bundle)
const end = (code: number) => {
  void arena.close().finally(() => process.exit(code))
}
process.once('SIGINT', () => end(130))
process.once('SIGTERM', () => end(143))

const letters: Letters = new Map()
let failures: readonly string[]
let result = {}
try {
  await runRounds(arena, plan, letters)
  await drain(arena)
  const { faults, accepted, destinations } = await settleAccounts(arena, letters)
  failures = faults
  result = { accepted, destinations }
} catch (error) {
  failures = [error instanceof Error ? (error.stack ?? error.message) : String(error)]
}
const byKind = Map.groupBy(plan.flat(), ({ kind }) => kind)
const report = {
  rounds: options.rounds,
  seed: options.seed,
  ...(options.broken && { break: options.broken }),
  ...result,
  deadLetters: letters.size,
  posts: arena.road.counts,
  faults: Object.fromEntries([...byKind].map(([kind, faults]) => [kind, faults.length])),
  requestsThatMetAFault: Object.fromEntries(arena.sinks.map(({ name, proxy }) => [name, proxy.met])),
  seconds: Math.round((performance.now() - startedAtMs) / 1000),
  ok: failures.length === 0,
  failures,
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
console.log(JSON.stringify(report, null, 2))
if (failures.length > 0) {
  console.log(notable(arena.stack.relayOutput()))
  const again = `--rounds ${options.rounds} --seed ${options.seed}${options.broken ? ` --break ${options.broken}` : ''}`
  console.log(`Seed ${options.seed} failed. Again: npm run chaos -- ${again}`)
}
console.log(`${failures.length === 0 ? options.rounds : 0} passed, ${failures.length} failed`)
end(failures.length === 0 ? 0 : 1)
