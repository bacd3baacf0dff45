import type { HostConfig } from '../../shared/host-config.ts'
import { ok, type Result, refused } from '../result.ts'
import { nextDeadline, stateAt } from './health.ts'
import type { HostMemory } from './host-memory.ts'
import type { HostCounts, HostCredential, HostDetail, HostState, HostView, LeftOutView } from './rpc.ts'
import type { HostRecord } from './store.ts'

/** Hosts of one tenant shard: what one checkpoint row holds and one object serves with room to spare. */
export const MAX_HOSTS = 1_000

/** Tokens of a host that are valid together: the old one goes on working while the new one takes over. */
const VALID_TOKENS = 2

export interface Enrolment {
  readonly machineId: string
  readonly hostname: string
  readonly name: string
  readonly os: string
  readonly secretHash: string
}

/** The host that a credential names, if it may post. */
export function admit(host: HostRecord | undefined, credential: HostCredential): Result<HostRecord> {
  if (!host) return refused('host_unknown', 'This relay does not know this host. Enrol it again: onec-agent enrol.')
  if (!host.tokens.some(hash => sameText(hash, credential.secretHash)))
    return refused('token_revoked', 'This token was replaced by a newer one. Enrol this host again: onec-agent enrol.')
  if (host.removedAtMs !== null)
    return refused('host_removed', 'This host was removed from its tenant. Its agent stops; enrol it to start again.')
  return ok(host)
}

/**
 * The record of a host that enrols: a new one, or the machine's known one with a further token. Once copies of a machine
 * are about, its id and hostname say nothing, only the name does: another one is a new host, its own takes the host
 * over from whoever holds an older token.
 */
export function enrolled(
  hosts: Iterable<HostRecord>,
  enrolment: Enrolment,
  newId: string,
  now: number,
  hasClones: (hostId: string) => boolean = () => false,
): Result<HostRecord> {
  const present = [...hosts].filter(({ removedAtMs }) => removedAtMs === null)
  // Machines made from one template may share an id: only the name tells them apart.
  const alike = present.filter(
    ({ machineId, hostname }) => machineId === enrolment.machineId && hostname === enrolment.hostname,
  )
  const isCopied = alike.length > 1 || alike.some(({ id }) => hasClones(id))
  const known = isCopied ? alike.find(({ name }) => name === enrolment.name) : alike[0]
  const namesake = present.find(({ name }) => name === enrolment.name)
  if (namesake && namesake !== known)
    return refused(
      'host_name_taken',
      `This tenant has another host named "${enrolment.name}". Enrol with --name and another name, or remove that host.`,
    )
  const { hostname, name, os } = enrolment
  if (known) {
    const earlier = hasClones(known.id) ? [] : known.tokens
    const tokens = [...earlier, enrolment.secretHash].slice(-VALID_TOKENS)
    return ok({ ...known, hostname, name, os, tokens })
  }
  if (present.length >= MAX_HOSTS)
    return refused('tenant_full', `This tenant has ${MAX_HOSTS} hosts. Make a second tenant for further ones.`)
  return ok({
    id: newId,
    name,
    hostname,
    machineId: enrolment.machineId,
    os,
    tokens: [enrolment.secretHash],
    config: {},
    configRevision: 0,
    enrolledAtMs: now,
    removedAtMs: null,
  })
}

/** By id or by name, among those not removed. */
export function findHost(hosts: ReadonlyMap<string, HostRecord>, idOrName: string): Result<HostRecord> {
  const present = [...hosts.values()].filter(({ removedAtMs }) => removedAtMs === null)
  const found = present.find(({ id }) => id === idOrName) ?? present.find(({ name }) => name === idOrName)
  return found ? ok(found) : refused('not_found', `This tenant has no host "${idOrName}".`)
}

export function reconfigured(host: HostRecord, config: HostConfig): HostRecord {
  return { ...host, config, configRevision: host.configRevision + 1 }
}

export function hostView(host: HostRecord, memory: HostMemory, now: number): HostView {
  return {
    id: host.id,
    name: host.name,
    hostname: host.hostname,
    state: stateAt(memory, now),
    stateSinceMs: memory.stateSinceMs,
    enrolledAtMs: host.enrolledAtMs,
    lastSeenMs: memory.lastSeenMs,
    dueAtMs: memory.dueAtMs,
    clockSkewMs: memory.clockSkewMs,
    clockOffsetMs: memory.clock.offsetMs === 0 ? null : memory.clock.offsetMs,
    clones: memory.clones,
    agent: memory.agent,
    spool: memory.spool,
    configRevision: host.configRevision,
  }
}

export function hostDetail(
  host: HostRecord,
  memory: HostMemory,
  leftOut: readonly LeftOutView[],
  now: number,
): HostDetail {
  const backups = [...memory.backups].map(([name, { goodAtMs, goodSizeBytes, reportedAtMs, ...backup }]) => ({
    ...backup,
    name,
    completedAtMs: goodAtMs,
    sizeBytes: goodSizeBytes,
  }))
  return { ...hostView(host, memory, now), config: host.config, leftOut, backups }
}

export function countHosts(views: readonly HostView[]): HostCounts {
  const byState: Record<HostState, number> = { pending: 0, up: 0, late: 0, down: 0, disabled: 0 }
  for (const { state } of views) byState[state] += 1
  return { total: views.length, byState }
}

/** The earliest moment at which some host's health may change. */
export function nextDeadlineOf(memories: Iterable<HostMemory>): number | undefined {
  let earliest: number | undefined
  for (const memory of memories) {
    const at = nextDeadline(memory)
    if (at !== undefined && at < (earliest ?? Number.POSITIVE_INFINITY)) earliest = at
  }
  return earliest
}

/** A post may come so much earlier than it was granted. */
const EARLY_MS = 100
/** A post that is later than this is not on its way: its host is down, or tries again after an outage. */
const OVERDUE_MS = 1_000

/** Hosts whose next post should be coming in at this moment. */
export function postsDue(memories: Iterable<HostMemory>, now: number): number {
  let due = 0
  for (const { dueAtMs } of memories)
    if (dueAtMs !== null && dueAtMs <= now + EARLY_MS && dueAtMs >= now - OVERDUE_MS) due += 1
  return due
}

/** In constant time for texts of one length; hashes have one. */
function sameText(one: string, other: string): boolean {
  let difference = one.length ^ other.length
  for (let index = 0; index < one.length; index += 1) difference |= one.charCodeAt(index) ^ other.charCodeAt(index)
  return difference === 0
}
