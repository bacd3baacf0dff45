import type { AgentStatus, Condition } from '../status.ts'
import { type Finding, finding } from './finding.ts'

export interface RunningFacts {
  readonly condition: Condition
  /** As the agent last wrote it; absent when it never ran. */
  readonly status: AgentStatus | undefined
  readonly nowMs: number
  /** Release of this program. */
  readonly version: string
}

/** An agent that wrote no snapshot for this many intervals hangs; one that delivered nothing as long cannot. */
const SILENT_INTERVALS = 3

/** A batch waits for its turn; more than these is a backlog. */
const BACKLOG_BATCHES = 2

/** The agent and its queue, by what it last said of itself. */
export function judgeRunning(facts: RunningFacts): Finding[] {
  const { condition, status, version } = facts
  if (condition === 'removed' || condition === 'not enrolled') return []
  const alive = condition === 'running' ? judgeAlive(facts) : [finding('agent.stopped')]
  if (!status) return alive
  const { version: running } = status
  const problem = status.problem ?? stalledSince(status, facts.nowMs)
  return [
    ...alive,
    ...(condition === 'running' && running !== version
      ? [finding('agent.other_release', { running, installed: version })]
      : []),
    ...(condition === 'running' && problem ? [judgeProblem(problem, status.intervalMs, facts.nowMs)] : []),
    ...judgeSpool(status.spool),
  ]
}

/** A post is answered or fails within seconds and the next one is never further than an interval: a long silence is a bug. */
const STALLED_MS = 15 * 60_000

function stalledSince({ spool, lastDeliveredAtMs, startedAtMs, intervalMs }: AgentStatus, nowMs: number) {
  const sinceMs = lastDeliveredAtMs ?? startedAtMs
  const stalled = spool.pendingBatches > 0 && nowMs - sinceMs > Math.max(SILENT_INTERVALS * intervalMs, STALLED_MS)
  return stalled ? { sinceMs, reason: 'stalled: ' } : undefined
}

/** One failed attempt is no outage: the next one is a moment away. A refusal of this host does not pass by itself. */
function judgeProblem({ sinceMs, reason }: NonNullable<AgentStatus['problem']>, intervalMs: number, nowMs: number) {
  const lasts = nowMs - sinceMs > SILENT_INTERVALS * intervalMs || /^(host|token)_\w+: /.test(reason)
  return finding('agent.undelivered', { sinceAtMs: sinceMs, reason }, lasts ? 'error' : 'warning')
}

function judgeAlive({ status, nowMs }: RunningFacts): Finding[] {
  if (!status) return [finding('agent.unheard')]
  const { startedAtMs, intervalMs } = status
  const ageMs = snapshotAgeMs(status, nowMs)
  return isSilent(status, nowMs)
    ? [finding('agent.silent', { ageMs, intervalMs })]
    : [finding('agent.running', { startedAtMs, ageMs })]
}

/** Age of the last snapshot; of the agent itself while it has taken none. */
export function snapshotAgeMs({ lastSnapshotAtMs, startedAtMs }: AgentStatus, nowMs: number): number {
  return Math.max(nowMs - (lastSnapshotAtMs ?? startedAtMs), 0)
}

export const isSilent = (status: AgentStatus, nowMs: number): boolean =>
  snapshotAgeMs(status, nowMs) > SILENT_INTERVALS * Math.max(status.intervalMs, 10_000)

export function judgeSpool({
  pendingBatches,
  oldestAtMs,
  droppedSnapshots,
  asideBatches,
}: AgentStatus['spool']): Finding[] {
  const waits = pendingBatches > BACKLOG_BATCHES && oldestAtMs !== null
  return [
    waits ? finding('spool.waiting', { batches: pendingBatches, oldestAtMs }) : finding('spool.empty'),
    ...(droppedSnapshots > 0 ? [finding('spool.dropped', { snapshots: droppedSnapshots })] : []),
    ...(asideBatches > 0 ? [finding('spool.aside', { batches: asideBatches })] : []),
  ]
}
