import { DEFAULT_INTERVAL_MS } from '../../shared/host-config.ts'
import { AGENT_RETRY_MAX_MS, type Entry } from '../../shared/wire.ts'
import type { HostMemory } from './host-memory.ts'
import type { HealthChange } from './tick.ts'

/** Fewer hosts than this are said one by one, whatever share of the tenant they are. */
const MIN_HOSTS = 3
/** That much past its granted post a host is silent, though not late yet: its neighbours' deadlines tell why. */
const SILENT_AFTER_INTERVALS = 0.5
/** Whoever falls silent within this of the first ones belongs to them; later ones have a reason of their own. */
const JOIN_WITHIN_MS = 10 * 60_000
/** After most are back, the rest have this long before each is said by itself: every agent has tried again by then. */
const STRAGGLE_MS = AGENT_RETRY_MAX_MS + 60_000
const MAX_NAMES = 10

/** Many hosts of a tenant that fell silent together: the network or the way to this relay, not each of them. */
export interface Incident {
  readonly sinceMs: number
  /** Ids of the hosts that are said together. */
  readonly hosts: readonly string[]
  /** Since when most of them are back; null while most are silent. */
  readonly backSinceMs: number | null
}

/** What is said once, of the tenant as a whole. */
export interface Notice {
  readonly kind: 'incident' | 'incident_over'
  readonly message: string
}

export interface Verdict {
  readonly incident: Incident | null
  /** The changes that are said one by one. */
  readonly said: readonly HealthChange[]
  readonly notice?: Notice
}

type Hosts = ReadonlyMap<string, HostMemory>

/** What of these changes is one incident. `hosts` have their state of `now`, the changes made. */
export function judge(
  before: Incident | null,
  hosts: Hosts,
  changes: readonly HealthChange[],
  now: number,
  nameOf: (hostId: string) => string,
): Verdict {
  const members = before?.hosts.filter(id => hosts.has(id)) ?? []
  return before && members.length > 0
    ? goesOn({ ...before, hosts: members }, hosts, changes, now, nameOf)
    : begins(hosts, changes, now)
}

function begins(hosts: Hosts, changes: readonly HealthChange[], now: number): Verdict {
  const fell = changes.filter(isFall).map(({ hostId }) => hostId)
  const up = [...hosts].filter(([, { state }]) => state === 'up')
  const silent = up.filter(([, host]) => isSilent(host, now)).map(([id]) => id)
  const together = new Set([...fell, ...silent])
  const all = up.length + fell.length
  if (fell.length === 0 || together.size < MIN_HOSTS || together.size * 2 <= all)
    return { incident: null, said: changes }
  const message = `${together.size} of ${all} hosts that were up fell silent together: one incident, so look at what they share (their network, the way to this relay) before each host`
  return {
    incident: { sinceMs: now, hosts: [...together], backSinceMs: null },
    said: changes.filter(({ hostId }) => !together.has(hostId)),
    notice: { kind: 'incident', message },
  }
}

function goesOn(
  before: Incident,
  hosts: Hosts,
  changes: readonly HealthChange[],
  now: number,
  nameOf: (hostId: string) => string,
): Verdict {
  const members = new Set(before.hosts)
  const mayJoin = now <= before.sinceMs + JOIN_WITHIN_MS
  for (const change of changes.filter(isFall)) {
    if (mayJoin) members.add(change.hostId)
    else members.delete(change.hostId)
  }
  const said = changes.filter(({ hostId }) => !members.has(hostId))
  const away = [...members].filter(id => !isBack(hosts.get(id), before.sinceMs))
  const mostAreBack = away.length * 2 < members.size
  const backSinceMs = mostAreBack ? (before.backSinceMs ?? now) : null
  const isOver = away.length === 0 || (backSinceMs !== null && now >= backSinceMs + STRAGGLE_MS)
  if (!isOver) return { incident: { ...before, hosts: [...members], backSinceMs }, said }
  const alone = away.flatMap(hostId => changeOf(hostId, hosts.get(hostId), nameOf))
  return { incident: null, said: [...said, ...alone], notice: over(before, members.size, alone) }
}

function over({ sinceMs }: Incident, members: number, alone: readonly HealthChange[]): Notice {
  const back = alone.length === 0 ? `All ${members} hosts` : `${members - alone.length} of ${members} hosts`
  const names = alone.slice(0, MAX_NAMES).map(({ name }) => name)
  const more = alone.length > MAX_NAMES ? ` and ${alone.length - MAX_NAMES} more` : ''
  const still = alone.length === 0 ? '' : `; still silent: ${names.join(', ')}${more}`
  const message = `${back} that fell silent together at ${new Date(sinceMs).toISOString()} post again${still}`
  return { kind: 'incident_over', message }
}

/** Of a host that is still late or down when the incident is over: from now on it is said by itself. */
function changeOf(hostId: string, host: HostMemory | undefined, nameOf: (hostId: string) => string): HealthChange[] {
  if (!host || host.state === 'up') return []
  return [{ hostId, name: nameOf(hostId), from: 'up', to: host.state, lastSeenMs: host.lastSeenMs }]
}

function isFall({ from, to }: HealthChange): boolean {
  return from === 'up' && (to === 'late' || to === 'down')
}

function isSilent({ dueAtMs, agent }: HostMemory, now: number): boolean {
  const intervalMs = agent?.intervalMs ?? DEFAULT_INTERVAL_MS
  return dueAtMs !== null && now >= dueAtMs + SILENT_AFTER_INTERVALS * intervalMs
}

/** A host that was only silent when it began is up, but did not post since. */
function isBack(host: HostMemory | undefined, sinceMs: number): boolean {
  return host?.state === 'up' && (host.lastSeenMs ?? 0) >= sinceMs
}

/** As the relay's own log entry. */
export function noticeEntry({ kind, message }: Notice, now: number): Entry {
  return { atMs: now, level: kind === 'incident' ? 'error' : 'info', message, fields: { event: kind } }
}
