/** What was measured of one tenant shard of 1,000 hosts that post once a minute. */
export interface Measured {
  readonly rowsPerBatch: number
  /** Requests to the object beside the batches' own: its alarms. */
  readonly alarmsPerMinute: number
  /** CPU of a batch, all of it counted as the Worker's although some is the object's, which is not billed. */
  readonly cpuMsPerBatch: number
  /** Of a minute: how long the object was awake with sinks that answer at once. */
  readonly awakeSecondsPerMinute: number
  /** To the destination that gets the most of them: they go one after another. */
  readonly requestsPerMinute: number
}

/** Of Cloudflare's Workers Paid plan, as documented in 2026: dollars a million beyond what the base price includes. */
const PRICES = {
  base: 5,
  workerRequests: { included: 10e6, perMillion: 0.3 },
  workerCpuMs: { included: 30e6, perMillion: 0.02 },
  objectRequests: { included: 1e6, perMillion: 0.15 },
  objectGbSeconds: { included: 400e3, perMillion: 12.5 },
  rowsWritten: { included: 50e6, perMillion: 1 },
} as const

const MINUTES = 30 * 24 * 60
const HOSTS_A_SHARD = 1_000
/** An object is billed as 128 MB. */
const OBJECT_GB = 0.128
/** How long a sink on the internet takes to answer; here it answers at once. */
const SINK_ROUND_TRIP_SECONDS = 0.1

export type Cost = Readonly<Record<'base' | keyof Omit<typeof PRICES, 'base'>, number>>

/**
 * Dollars of a 30-day month, by item:
 *
 *     batches         = hosts × 43,200
 *     workerRequests  = batches
 *     workerCpuMs     = batches × CPU of a batch
 *     objectRequests  = batches + shards × 43,200 × alarms a minute
 *     objectGbSeconds = shards × 43,200 × min(60, awake s a minute + requests × 0.1 s) × 0.128
 *     rowsWritten     = batches × rows of a batch
 *     item            = max(0, used − included) / 1,000,000 × price; plus the base price
 */
export function monthlyCost(hosts: number, measured: Measured): Cost {
  const batches = hosts * MINUTES
  const shardMinutes = Math.ceil(hosts / HOSTS_A_SHARD) * MINUTES
  const awake = measured.awakeSecondsPerMinute + measured.requestsPerMinute * SINK_ROUND_TRIP_SECONDS
  const dollars = (item: keyof Omit<typeof PRICES, 'base'>, used: number) =>
    (Math.max(0, used - PRICES[item].included) / 1e6) * PRICES[item].perMillion
  return {
    base: PRICES.base,
    workerRequests: dollars('workerRequests', batches),
    workerCpuMs: dollars('workerCpuMs', batches * measured.cpuMsPerBatch),
    objectRequests: dollars('objectRequests', batches + shardMinutes * measured.alarmsPerMinute),
    objectGbSeconds: dollars('objectGbSeconds', shardMinutes * Math.min(60, awake) * OBJECT_GB),
    rowsWritten: dollars('rowsWritten', batches * measured.rowsPerBatch),
  }
}

export const total = (cost: Cost): number => Object.values(cost).reduce((sum, dollars) => sum + dollars, 0)
