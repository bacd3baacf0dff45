import { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import type { BatchItem } from '../../../../relay/tenant/row.ts'
import { seededRandom } from '../../../support/seeded-random.ts'
import { batchItem, idOf, NOW, snapshot, wireBatch } from '../fixtures.ts'
import { farSide, MOODS, NUMBER, POISON } from './far-side.ts'
import { openObject } from './object.ts'
import { crashingStorage, type Defect } from './storage.ts'

/** A batch that the relay acknowledged, and the destinations that were there for all of that time. */
export interface Acked {
  readonly item: BatchItem
  readonly host: string
  readonly atMs: number
  readonly isPoison: boolean
  readonly destinations: ReadonlySet<string>
}

interface Agent {
  readonly name: string
  /** Posted and not acknowledged: what it sends again. */
  unsent: Omit<Acked, 'destinations'> | undefined
  destinations: ReadonlySet<string>
}

interface Asked {
  readonly destination: string
  readonly body: Uint8Array
  readonly answered: (answer: () => Response) => void
}

/** Bytes of a small budget: a few rows. */
const SMALL_BUDGET = 4_000

/** One tenant's relay with what is around it: agents that post, destinations that answer, and a plug that is pulled. */
export function startWorld(seed: number, defect?: Defect) {
  const random = seededRandom(seed)
  const upTo = (count: number) => Math.floor(random() * count)
  const pick = <T>(from: readonly T[]): T | undefined => from[upTo(from.length)]
  const database = new DatabaseSync(':memory:')
  const clock = { now: NOW }
  const farSides = new Map<string, ReturnType<typeof farSide>>()
  const agents: Agent[] = ['БУХ-1', 'БУХ-2', 'СКЛАД', 'КАССА'].map(name => ({
    name,
    unsent: undefined,
    destinations: new Set(),
  }))
  const acked: Acked[] = []
  const asked: Asked[] = []
  const counts = { crashes: 0, acked: 0, letters: 0, dropped: 0 }
  let named = 0
  let crashing = crashingStorage(database, random, defect)
  let object = openObject(crashing, clock)

  const destinationIds = () => new Set(object.deliveries.records.map(({ id }) => id))
  const idOfAgent = (agent: Agent) =>
    [...object.state.hosts.values()].find(({ name, removedAtMs }) => name === agent.name && removedAtMs === null)?.id

  /** Stands for the network: a request waits here until it is answered or the power goes off. */
  function send(url: string, body: Uint8Array): Promise<Response> {
    if (crashing.isDead) return Promise.reject(new TypeError('fetch failed'))
    crashing.outputGate()
    const destination = new URL(url).hostname.split('.')[0] ?? ''
    return new Promise((resolve, reject) => {
      const answered = (answer: () => Response) => {
        try {
          resolve(answer())
        } catch (error) {
          reject(error)
        }
      }
      asked.push({ destination, body, answered })
    })
  }

  async function answerOne(): Promise<void> {
    const [request] = asked.splice(upTo(asked.length), 1)
    if (!request) return
    request.answered(() => farSides.get(request.destination)?.answer(request.body) ?? new Response('', { status: 404 }))
    await settle()
  }

  /** Lets what was answered take effect. */
  async function settle(): Promise<void> {
    for (let turns = 0; turns < 3; turns += 1) await turn()
  }

  async function post(agent: Agent): Promise<void> {
    const hostId = idOfAgent(agent)
    if (hostId === undefined) return
    if (agent.unsent?.item.hostId !== hostId) agent.unsent = undefined
    if (!agent.unsent) {
      agent.unsent = newBatch(hostId, agent.name)
      agent.destinations = destinationIds()
    }
    const { unsent } = agent
    if (!object.isKnown(unsent.item) && !(await object.post(unsent.item))) return
    const destinations = new Set([...agent.destinations].filter(id => destinationIds().has(id)))
    acked.push({ ...unsent, destinations })
    counts.acked += 1
    agent.unsent = undefined
  }

  function newBatch(hostId: string, host: string): Omit<Acked, 'destinations'> {
    named += 1
    clock.now += 1
    const isPoison = random() < 0.04
    const metrics = { [NUMBER]: named, ...(isPoison && { [POISON]: 1 }) }
    const batch = wireBatch({ id: idOf(named), sentAtMs: clock.now, snapshots: [snapshot(clock.now, { metrics })] })
    const item = batchItem({ hostId, receivedAtMs: clock.now, dueAtMs: clock.now + 60_000 }, batch)
    return { item, host, atMs: clock.now, isPoison }
  }

  async function addDestination(): Promise<void> {
    named += 1
    const id = `d${named}`
    farSides.set(id, farSide())
    const budget = random() < 0.25 ? { bytes: SMALL_BUDGET } : {}
    const input = { name: `Облако ${named}`, sink: 'remote-write', settings: { url: `http://${id}.example` }, budget }
    await object.change(async () => {
      const added = await object.desk.add({ ...input, settings: { ...input.settings, allowHttp: true } }, id, clock.now)
      if (!added.ok) throw new Error(added.detail)
    })
  }

  async function removeDestination(): Promise<void> {
    const id = pick([...destinationIds()])
    if (id !== undefined && destinationIds().size > 1) await object.change(() => object.desk.remove(id))
  }

  async function changeHosts(): Promise<void> {
    const agent = pick(agents)
    const hostId = agent && idOfAgent(agent)
    named += 1
    if (agent && hostId === undefined) await object.change(() => object.enrol(`h${named}`, agent.name))
    else if (hostId !== undefined && random() < 0.3) await object.change(() => object.removeHost(hostId))
  }

  async function pass(ms: number): Promise<void> {
    clock.now += ms
    if (clock.now >= (crashing.alarms.at(-1) ?? Number.POSITIVE_INFINITY)) object.beat()
    await settle()
  }

  /** The plug: what was in flight may have arrived or not; then the object starts again from what is on the disk. */
  async function crash(): Promise<void> {
    counts.crashes += 1
    crashing.end()
    for (const { destination, body, answered } of asked.splice(0)) {
      if (random() < 0.5 && farSides.get(destination)?.mood === 'well') farSides.get(destination)?.take(body)
      answered(() => {
        throw new TypeError('fetch failed: the power went off')
      })
    }
    while (object.deliveries.isPumping) await turn()
    crashing = crashingStorage(database, random, defect)
    object = openObject(crashing, clock)
    object.wake()
  }

  const steps: readonly [weight: number, step: () => Promise<void> | void][] = [
    [35, async () => void (await Promise.all(agents.filter(() => random() < 0.5).map(post)))],
    [28, answerOne],
    [14, () => pass(upTo(20_000))],
    [5, () => void object.alive(() => object.state.checkpoint())],
    [4, changeHosts],
    [2, addDestination],
    [1, removeDestination],
    [4, () => void Object.assign(pick([...farSides.values()]) ?? {}, { mood: pick(MOODS) })],
    [4, () => crashing.cutAfter(upTo(30))],
    [2, crash],
  ]
  const lots = steps.flatMap(([weight, step]) => Array.from({ length: weight }, () => step))

  return {
    clock,
    counts,
    acked,
    farSides,
    send,
    get object() {
      return object
    },
    async begin(): Promise<void> {
      await addDestination()
      await addDestination()
      for (const { name } of agents) await object.change(() => object.enrol(`h ${name}`, name))
    },
    /** One random step; true when the object died and started again. */
    async step(): Promise<boolean> {
      const before = counts.crashes
      await pick(lots)?.()
      if (crashing.isDead) await crash()
      return counts.crashes > before
    },
    /** All is well again, and given time. */
    async heal(): Promise<void> {
      crashing.cutAfter(Number.POSITIVE_INFINITY)
      for (const side of farSides.values()) side.mood = 'well'
      for (const id of destinationIds()) object.desk.resume(id)
      for (let round = 0; round < 400; round += 1) {
        while (asked.length > 0) await answerOne()
        if (object.deliveries.records.every(record => object.deliveries.view(record).backlogBatches === 0)) return
        await pass(5_000)
      }
    },
  }
}

export type World = ReturnType<typeof startWorld>
