import type { Snapshot } from '../shared/wire.ts'
import type { Clock } from './clock.ts'
import { hostFiles } from './collect/host-files.ts'
import { platformCollectors } from './collect/index.ts'
import { createSampler, type Sample } from './collect/sampler.ts'
import { type Environment, readEffectiveConfig, type StatePaths } from './config.ts'
import { UserError } from './error.ts'
import { buildSnapshot } from './snapshot.ts'

const COLLECTOR_DEADLINE_MS = 2_000
const PRIME_MS = 1_000

export interface OnceResult {
  readonly snapshot: Snapshot
  readonly unread: Sample['problems']
}

/** One snapshot, as the agent would send it; nothing is kept or sent. Takes a second: shares need two readings. */
export async function takeOnce(paths: StatePaths, environment: Environment, clock: Clock): Promise<OnceResult> {
  const config = readEffectiveConfig(paths, environment)
  const collectors = platformCollectors(process.platform, { files: hostFiles, config: () => config })
  const sampler = createSampler(collectors, COLLECTOR_DEADLINE_MS, clock)
  await sampler.sample()
  await clock.sleep(PRIME_MS)
  const sample = await sampler.sample()
  const snapshot = buildSnapshot(sample, clock.nowMs(), clock.monoMs())
  if (!snapshot) throw new UserError('The clock of this machine says it is before 2020. Set it.')
  return { snapshot, unread: sample.problems }
}

/** One line a sample, as Prometheus writes them. */
export function formatSnapshot({ snapshot, unread }: OnceResult): string {
  const metrics = Object.entries(snapshot.metrics).map(([name, value]) => `${name} ${value}`)
  const series = (snapshot.series ?? []).map(({ name, labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`)
    return `${name}{${pairs.join(',')}} ${value}`
  })
  const missing = unread.map(({ family, reason }) => `# not read: ${family} (${reason})`)
  return [...metrics, ...series, ...missing].join('\n')
}
