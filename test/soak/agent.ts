/// <reference path="../../agent/collect/osinfo.d.ts" />
import { readEnvironment, statePaths, widenThreadPool } from '../../agent/config.ts'
import { keepHeapSmall } from '../../agent/heap.ts'
import { createLog } from '../../agent/log.ts'
import { exchange } from '../../agent/relay.ts'
import { runAgent } from '../../agent/run.ts'
import { acceleratedClock } from './accelerated-clock.ts'

/** `node agent.js STATE SPEED SPOOL_BYTES`: the agent as it ships, but for its clock and the size of its spool. */
const [state = '', speed, spoolBytes] = process.argv.slice(2)

keepHeapSmall()
widenThreadPool()
const clock = acceleratedClock(Number(speed))
const log = createLog(clock, { out: process.stdout, err: process.stderr })
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
await runAgent(
  {
    paths: statePaths(state),
    environment: readEnvironment({ ONEC_AGENT_STATE: state, METRICS_INTERVAL: '1' }),
    clock,
    log,
    exchange,
    random: Math.random,
    spoolBytes: Number(spoolBytes),
  },
  stop.signal,
)
