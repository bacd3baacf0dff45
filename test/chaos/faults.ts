import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Stack } from '../support/stack.ts'
import type { Agents, SimulatedHost } from './agents.ts'
import { type Fault, type HostTrouble, placeOf, type SinkTrouble } from './plan.ts'
import type { RelayProxy } from './relay-proxy.ts'
import type { SinkFault } from './sink-proxy.ts'
import type { Sink } from './sinks.ts'

/** All that can be made to fail. */
export interface Arena {
  readonly folder: string
  readonly stack: Stack
  readonly road: RelayProxy
  readonly agents: Agents
  readonly sinks: readonly Sink[]
}

/** Makes the faults of a round happen, and puts right what they broke; resolves when that is done. */
export async function enactAll(faults: readonly Fault[], arena: Arena): Promise<void> {
  const places = Map.groupBy(faults, placeOf)
  const beganAtMs = performance.now()
  await Promise.all(
    [...places.values()].map(async inOrder => {
      for (const fault of inOrder) {
        await wait(Math.max(beganAtMs + fault.startMs - performance.now(), 0))
        await enact(fault, arena)
      }
    }),
  )
}

async function enact(fault: Fault, arena: Arena): Promise<void> {
  switch (fault.kind) {
    case 'relay-kill':
    case 'relay-away':
      await arena.stack.killRelay()
      await wait(fault.forMs)
      return arena.stack.serve()
    case 'lost-ack':
    case 'page-before':
    case 'page-after':
      arena.road.fault = fault.kind
      await wait(fault.forMs)
      arena.road.fault = undefined
      return
    case 'agent-kill':
      await arena.agents.kill(fault.fleet)
      await wait(fault.forMs)
      return arena.agents.start(fault.fleet)
    case 'full-disk':
    case 'reverted-state':
    case 'cloned-host':
      return enactOnHost(fault, hostOf(arena, fault.host), arena)
    case 'sink-kill': {
      const sink = sinkOf(arena, fault.sink)
      await sink.kill()
      await wait(fault.forMs)
      return sink.start()
    }
    default: {
      const { proxy } = sinkOf(arena, fault.sink)
      proxy.fault = sinkFault(fault, arena)
      await wait(fault.forMs)
      proxy.fault = undefined
    }
  }
}

async function enactOnHost(
  fault: HostTrouble & Pick<Fault, 'forMs'>,
  host: SimulatedHost,
  { agents, folder }: Arena,
): Promise<void> {
  if (fault.kind === 'full-disk') {
    await agents.tell(host, { kind: 'full-disk', host: host.name, isFull: true })
    await wait(fault.forMs)
    await agents.tell(host, { kind: 'full-disk', host: host.name, isFull: false })
    return
  }
  host.isShaky = true
  if (fault.kind === 'cloned-host') {
    const end = await agents.startClone(host)
    await wait(fault.forMs)
    return end()
  }
  const copy = join(folder, `${host.name}.snapshot`)
  await agents.tell(host, { kind: 'copy-state', host: host.name, to: copy })
  await wait(fault.forMs)
  await agents.kill(host.fleet)
  agents.restore(host, copy)
  await agents.start(host.fleet)
}

function sinkFault(fault: SinkTrouble, arena: Arena): SinkFault {
  switch (fault.kind) {
    case 'sink-hang':
      return { kind: 'hang' }
    case 'sink-429':
      return { kind: 'answer', status: 429, headers: { 'retry-after': '2' } }
    case 'sink-500':
      return { kind: 'answer', status: 500 }
    case 'sink-drop':
      return { kind: 'drop' }
    case 'sink-lost-reply':
      return { kind: 'lost-reply' }
    case 'sink-400-host':
      return { kind: 'poison', host: hostOf(arena, fault.host).name }
  }
}

function hostOf({ agents }: Arena, number: number): SimulatedHost {
  const host = agents.hosts[number]
  if (!host) throw new Error(`there is no host ${number}`)
  return host
}

function sinkOf({ sinks }: Arena, name: string): Sink {
  const sink = sinks.find(one => one.name === name)
  if (!sink) throw new Error(`there is no sink ${name}`)
  return sink
}
