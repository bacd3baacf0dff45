import { remember } from '../../../relay/tenant/host-memory.ts'
import { backOffMs } from '../../../shared/outcome.ts'
import { AGENT_RETRY_MAX_MS } from '../../../shared/wire.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { batchItem, hostRecord, idOf, NOW, seenHost, TENANT, wireBatch } from './fixtures.ts'
import { nodeStorage } from './node-storage.ts'
import { openTenant } from './tenant-setup.ts'

/** As the agent's shipper has it. */
const BACK_OFF_BASE_MS = 1_000

/**
 * A relay and the hosts of one tenant in simulated time: each posts when it was told to, and when it could not, again
 * within its back-off. All times are milliseconds since NOW.
 */
export function startFleet(count: number, intervalMs = 60_000) {
  const node = nodeStorage()
  const random = seededRandom(count)
  const clock = { now: NOW }
  let at = 0
  /** Relay clock minus true time. */
  let skewMs = 0
  let tenant = openTenant(node, clock)
  const agent = { ...wireBatch().agent, intervalMs }
  const hosts = Array.from({ length: count }, (_, index) => ({
    id: `h${index + 1}`,
    name: `БУХ-${index + 1}`,
    alive: true,
    nextAt: (intervalMs * index) / (count * 10),
    posts: 0,
    failures: 0,
  }))
  tenant.state.init(TENANT)
  tenant.state.checkpoint(() => {
    for (const { id, name } of hosts) {
      const record = hostRecord({ id, name })
      tenant.state.store.putHost(record)
      tenant.state.hosts.set(id, record)
      tenant.state.memories.set(id, seenHost({ agent, dueAtMs: NOW + intervalMs }))
    }
  })
  let isAway = false
  tenant.pulse.wake(NOW)

  function post(host: (typeof hosts)[number]): void {
    if (isAway) {
      host.failures += 1
      host.nextAt = at + backOffMs(host.failures, random(), BACK_OFF_BASE_MS, AGENT_RETRY_MAX_MS)
      return
    }
    const { now } = clock
    host.posts += 1
    host.failures = 0
    host.nextAt = at + intervalMs
    const more = { hostId: host.id, receivedAtMs: now, dueAtMs: now + intervalMs, agent }
    const item = batchItem(more, wireBatch({ id: idOf(host.posts), sentAtMs: now }))
    const memory = remember(tenant.state.memory(host.id, now), item)
    tenant.state.outbox.append([item])
    tenant.state.memories.set(host.id, memory)
    tenant.pulse.flushSoon(now)
  }

  function nextToPost() {
    let next: (typeof hosts)[number] | undefined
    for (const host of hosts) if (host.alive && host.nextAt < (next?.nextAt ?? Number.POSITIVE_INFINITY)) next = host
    return next
  }

  /** Lets time pass: alarms ring and hosts post, whichever is next. */
  function run(untilMs: number): void {
    for (;;) {
      const next = nextToPost()
      const alarm = isAway ? undefined : node.alarms.at(-1)
      const alarmAt = alarm === undefined ? Number.POSITIVE_INFINITY : Math.max(alarm - NOW - skewMs, at)
      const postAt = Math.max(next?.nextAt ?? Number.POSITIVE_INFINITY, at)
      if (Math.min(alarmAt, postAt) > untilMs) break
      at = Math.min(alarmAt, postAt)
      clock.now = NOW + at + skewMs
      if (postAt <= alarmAt && next) post(next)
      else {
        node.alarms.length = 0
        tenant.pulse.beat(clock.now)
      }
    }
    at = untilMs
    clock.now = NOW + at + skewMs
  }

  return {
    run,
    hosts,
    get state() {
      return tenant.state
    },
    get alarms() {
      return node.alarms
    },
    /** The relay is gone; hosts keep trying. */
    leave(): void {
      isAway = true
    },
    /** It starts again from what is stored. */
    comeBack(): void {
      isAway = false
      node.alarms.length = 0
      tenant = openTenant(node, clock)
      tenant.pulse.wake(clock.now)
    },
    turnClock(byMs: number): void {
      skewMs += byMs
      clock.now += byMs
    },
    silence: (count: number) => hosts.slice(0, count).map(host => Object.assign(host, { alive: false })),
    revive(which = hosts): void {
      for (const host of which)
        Object.assign(host, { alive: true, nextAt: Math.max(host.nextAt, at) + random() * 5_000 })
    },
    /** `kind subject`, oldest first, of all that was written. */
    events: () => {
      tenant.state.checkpoint()
      return tenant.state.store
        .events(1_000)
        .toReversed()
        .map(({ kind, subject }) => `${kind} ${subject}`)
    },
    messages: () => tenant.state.store.events(1_000).map(({ message }) => message),
    states: () => hosts.map(({ id }) => tenant.state.memory(id, clock.now).state),
    addDestination: () =>
      tenant.desk.add({ name: 'Облако', sink: 'loki', settings: { url: 'http://127.0.0.1:9/' } }, 'd1', clock.now),
    suspend: () => tenant.desk.suspend('d1', clock.now),
  }
}
