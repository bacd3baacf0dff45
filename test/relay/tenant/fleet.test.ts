import { describe, expect, test } from 'vitest'
import type { RelayItem } from '../../../relay/tenant/row.ts'
import { startFleet } from './fleet.ts'

const MINUTE = 60_000
const HOUR = 3_600_000

type Fleet = ReturnType<typeof startFleet>

const allUp = (count: number) => Array.from({ length: count }, () => 'up')

/** Nothing was said, and nothing is wrong. */
function expectPeace(fleet: Fleet) {
  expect(fleet.events()).toEqual([])
  expect(fleet.states()).toEqual(allUp(fleet.hosts.length))
}

describe.each([5_000, MINUTE, HOUR])('hosts that post every %i ms', intervalMs => {
  const start = () => {
    const fleet = startFleet(10, intervalMs)
    fleet.run(10 * MINUTE)
    expectPeace(fleet)
    return fleet
  }

  test.each([
    ['12 s', 12_000],
    ['70 s', 70_000],
    ['10 min', 10 * MINUTE],
    ['a day', 24 * HOUR],
  ])('none is called late or down when the relay was away for %s', (_, forMs) => {
    const fleet = start()
    fleet.leave()
    fleet.run(10 * MINUTE + forMs)
    fleet.comeBack()
    expect(fleet.states()).toEqual(allUp(10))
    fleet.run(20 * MINUTE + forMs)
    expectPeace(fleet)
  })

  test.each([
    ['back 2 h', -2 * HOUR],
    ['forward 2 h', 2 * HOUR],
    ['back a day', -24 * HOUR],
  ])('none is called late or down when the clock goes %s, and one that dies then is', (_, byMs) => {
    const fleet = start()
    fleet.turnClock(byMs)
    fleet.run(10 * MINUTE + 2 * intervalMs)
    expectPeace(fleet)
    fleet.silence(1)
    fleet.run(20 * MINUTE + 8 * intervalMs)
    expect(fleet.events()).toEqual(['host_late БУХ-1', 'host_down БУХ-1'])
  })

  test('none is called late or down when the clock goes forward 2 h and back again', () => {
    const fleet = start()
    fleet.turnClock(2 * HOUR)
    fleet.run(15 * MINUTE)
    fleet.turnClock(-2 * HOUR)
    fleet.run(30 * MINUTE + 3 * intervalMs)
    expectPeace(fleet)
    fleet.silence(1)
    fleet.run(40 * MINUTE + 10 * intervalMs)
    expect(fleet.events()).toEqual(['host_late БУХ-1', 'host_down БУХ-1'])
  })

  test('of those that the relay finds when it is back, only the one that died meanwhile is down', () => {
    const fleet = start()
    fleet.leave()
    fleet.silence(1)
    fleet.run(20 * MINUTE)
    fleet.comeBack()
    fleet.run(40 * MINUTE + 6 * intervalMs)
    expect(fleet.events()).toEqual(['host_late БУХ-1', 'host_down БУХ-1'])
  })

  test('a host that is down stays so, wherever the relay and its clock were, until it posts', () => {
    const fleet = start()
    const dead = fleet.silence(1)
    fleet.run(20 * MINUTE + 6 * intervalMs)
    const down = ['host_late БУХ-1', 'host_down БУХ-1']
    expect(fleet.events()).toEqual(down)
    const from = 20 * MINUTE + 6 * intervalMs
    fleet.leave()
    fleet.run(from + 10 * MINUTE)
    fleet.comeBack()
    fleet.turnClock(-2 * HOUR - 30 * intervalMs)
    fleet.run(from + 20 * MINUTE + 2 * intervalMs)
    fleet.turnClock(4 * HOUR)
    fleet.run(from + 30 * MINUTE + 4 * intervalMs)
    expect(fleet.events()).toEqual(down)
    fleet.revive(dead)
    fleet.run(from + 40 * MINUTE + 6 * intervalMs)
    expect(fleet.events()).toEqual([...down, 'host_up БУХ-1'])
  })
})

describe('many hosts that fall silent together', () => {
  const start = async (count = 20, intervalMs = MINUTE) => {
    const fleet = startFleet(count, intervalMs)
    await fleet.addDestination()
    fleet.suspend()
    fleet.run(2 * MINUTE)
    return fleet
  }
  const relayItems = ({ state }: Fleet) =>
    state.outbox
      .from(0)
      .flatMap(row => state.outbox.read(row))
      .filter((item): item is RelayItem => item.kind === 'relay')
  const saysOf = (fleet: Fleet) => relayItems(fleet).flatMap(({ says }) => says)
  const upOf = (fleet: Fleet, id: string) =>
    saysOf(fleet).flatMap(({ hostId, snapshot }) => (hostId === id ? [snapshot.metrics.onec_host_up] : []))

  test.each([5_000, MINUTE])('are one event and one entry, and so is their return (every %i ms)', async every => {
    const fleet = await start(20, every)
    const lost = fleet.silence(15)
    fleet.run(4 * MINUTE + 6 * every)
    expect(fleet.events()).toEqual(['incident ООО Ромашка'])
    expect(fleet.messages()[0]).toContain('15 of 20 hosts')
    expect(fleet.states()).toEqual([...Array.from({ length: 15 }, () => 'down'), ...allUp(5)])
    for (const { id } of lost) expect(upOf(fleet, id).at(-1)).toBe(0)
    expect(upOf(fleet, 'h20').at(-1)).toBe(1)

    fleet.revive(lost)
    fleet.run(6 * MINUTE + 8 * every)
    expect(fleet.events()).toEqual(['incident ООО Ромашка', 'incident_over ООО Ромашка'])
    expect(fleet.messages()[0]).toContain('All 15 hosts')
    expect(fleet.states()).toEqual(allUp(20))
    for (const { id } of lost) expect(upOf(fleet, id).at(-1)).toBe(1)
    expect(saysOf(fleet).flatMap(({ hostId, entries }) => entries.map(({ level }) => `${hostId} ${level}`))).toEqual([
      'null error',
      'null info',
    ])
  })

  test('that are 1,000 do not each cost a row of what all of them say', async () => {
    const fleet = await start(1_000)
    const before = fleet.state.outbox.from(0).length
    fleet.silence(900)
    fleet.run(8 * MINUTE)
    const rows = fleet.state.outbox.from(before).filter(row => fleet.state.outbox.read(row)[0]?.kind === 'relay')
    expect(fleet.events()).toEqual(['incident ООО Ромашка'])
    expect(rows.length).toBeLessThan(60)
  })

  test('and of whom one does not come back: it is named, and down by itself', async () => {
    const fleet = await start()
    const [dead, ...others] = fleet.silence(15)
    fleet.run(20 * MINUTE)
    fleet.revive(others)
    fleet.run(30 * MINUTE)
    expect(fleet.events()).toEqual(['incident ООО Ромашка', 'incident_over ООО Ромашка', 'host_down БУХ-1'])
    expect(fleet.messages().join()).toContain('14 of 15 hosts')
    expect(fleet.messages().join()).toContain('still silent: БУХ-1')
    fleet.revive(dead ? [dead] : [])
    fleet.run(35 * MINUTE)
    expect(fleet.events().at(-1)).toBe('host_up БУХ-1')
  })

  test('are still one incident after a restart of the relay', async () => {
    const fleet = await start()
    const lost = fleet.silence(15)
    fleet.run(20 * MINUTE)
    fleet.leave()
    fleet.run(25 * MINUTE)
    fleet.comeBack()
    fleet.run(30 * MINUTE)
    fleet.revive(lost)
    fleet.run(40 * MINUTE)
    expect(fleet.events()).toEqual(['incident ООО Ромашка', 'incident_over ООО Ромашка'])
  })

  test('end with the clock set back, too', async () => {
    const fleet = await start()
    const lost = fleet.silence(15)
    fleet.run(20 * MINUTE)
    fleet.turnClock(-2 * HOUR)
    fleet.run(25 * MINUTE)
    fleet.revive(lost)
    fleet.run(40 * MINUTE)
    expect(fleet.events()).toEqual(['incident ООО Ромашка', 'incident_over ООО Ромашка'])
  })

  test('do not hide another one that dies later', async () => {
    const fleet = await start()
    fleet.silence(15)
    fleet.run(60 * MINUTE)
    fleet.silence(16)
    fleet.run(80 * MINUTE)
    expect(fleet.events()).toEqual(['incident ООО Ромашка', 'host_late БУХ-16', 'host_down БУХ-16'])
  })

  test('are said one by one when they are half, or two', async () => {
    const half = await start()
    half.silence(10)
    half.run(20 * MINUTE)
    expect(half.events().filter(event => event.startsWith('host_down'))).toHaveLength(10)
    expect(half.events()).not.toContain('incident ООО Ромашка')
    const two = await start(2)
    two.silence(2)
    two.run(20 * MINUTE)
    expect(two.events().toSorted()).toEqual([
      'host_down БУХ-1',
      'host_down БУХ-2',
      'host_late БУХ-1',
      'host_late БУХ-2',
    ])
  })
})
