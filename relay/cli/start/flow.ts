import type { DestinationView, HostView } from '../../tenant/rpc.ts'
import { plainLine } from '../table.ts'
import { count, duration } from '../wording.ts'

/** What the relay says of a tenant at one moment. */
export interface FlowSnapshot {
  readonly hosts: readonly HostView[]
  readonly destinations: readonly DestinationView[]
}

/**
 * What is going where, as lines for a log: one line with what each destination took since the last look, and one for
 * each host or destination whose state changed. Pure.
 */
export function flowLines(before: FlowSnapshot | undefined, after: FlowSnapshot, now: number): string[] {
  const lines = [
    ...after.hosts.flatMap(host =>
      hostChange(
        before?.hosts.find(one => one.id === host.id),
        host,
      ),
    ),
    ...after.destinations.flatMap(view => destinationChange(earlier(before, view), view, now)),
  ]
  if (before) lines.push(flowLine(before, after, now))
  return lines
}

function flowLine(before: FlowSnapshot, after: FlowSnapshot, now: number): string {
  const up = after.hosts.filter(host => host.state === 'up').length
  const parts = after.destinations.map(view => {
    const taken = view.deliveredSamples - (earlier(before, view)?.deliveredSamples ?? 0)
    return `${view.name} +${count(Math.max(0, taken))}${lag(view, now)}`
  })
  return [`${up}/${after.hosts.length} hosts up`, ...parts].join(' | ')
}

function lag(view: DestinationView, now: number): string {
  if (view.state !== 'active') return ` (${view.state}, ${count(view.backlogBatches)} waiting)`
  return view.oldestAtMs === null ? '' : ` (lag ${duration(now - view.oldestAtMs)})`
}

function hostChange(before: HostView | undefined, after: HostView): string[] {
  if (before?.state === after.state) return []
  return [`host ${plainLine(after.name)}: ${before ? `${before.state} → ` : ''}${after.state}`]
}

function destinationChange(before: DestinationView | undefined, after: DestinationView, now: number): string[] {
  const changes: string[] = []
  if (before?.state !== after.state || (after.state !== 'active' && before.reason !== after.reason))
    changes.push(stateChange(before, after, now))
  const dropped = after.droppedSamples - (before?.droppedSamples ?? after.droppedSamples)
  if (dropped > 0) changes.push(`${after.name}: ${count(dropped)} samples dropped`)
  const dead = after.deadLetters - (before?.deadLetters ?? after.deadLetters)
  if (dead > 0) changes.push(`${after.name}: ${count(dead)} dead letters`)
  return changes
}

function stateChange(before: DestinationView | undefined, after: DestinationView, now: number): string {
  const way = before && before.state !== after.state ? `${before.state} → ${after.state}` : after.state
  const reason = after.reason ? `: ${plainLine(after.reason)}` : ''
  const next = after.nextAttemptAtMs === null ? '' : `; next attempt in ${duration(after.nextAttemptAtMs - now)}`
  return `${after.name}: ${way}${after.state === 'active' ? '' : reason + next}`
}

function earlier(before: FlowSnapshot | undefined, view: DestinationView): DestinationView | undefined {
  return before?.destinations.find(one => one.id === view.id)
}
