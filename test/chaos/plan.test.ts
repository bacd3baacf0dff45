import { expect, test } from 'vitest'
import { type FaultKind, type PlanOptions, planRounds } from './plan.ts'

const OPTIONS: PlanOptions = { seed: 1, rounds: 20, hosts: 12, fleets: 4, shakyHosts: [0, 2] }

test('a seed is a plan, another one another', () => {
  expect(planRounds(OPTIONS)).toEqual(planRounds(OPTIONS))
  expect(planRounds({ ...OPTIONS, seed: 2 })).not.toEqual(planRounds(OPTIONS))
})

test.each([1, 2, 3])('twenty rounds of seed %i have every kind of fault', seed => {
  const kinds = new Set<FaultKind>(
    planRounds({ ...OPTIONS, seed })
      .flat()
      .map(({ kind }) => kind),
  )
  expect([...kinds].sort()).toEqual([
    'agent-kill',
    'cloned-host',
    'full-disk',
    'lost-ack',
    'page-after',
    'page-before',
    'relay-away',
    'relay-kill',
    'reverted-state',
    'sink-400-host',
    'sink-429',
    'sink-500',
    'sink-drop',
    'sink-hang',
    'sink-kill',
    'sink-lost-reply',
  ])
})

test('one place has one fault at a time', () => {
  for (const faults of planRounds({ ...OPTIONS, relayKills: 2 })) {
    const relay = faults.filter(({ kind }) => kind === 'relay-kill')
    relay.slice(1).forEach(({ startMs }, index) => {
      const before = relay[index]
      expect(startMs).toBeGreaterThan((before?.startMs ?? 0) + (before?.forMs ?? 0))
    })
  }
})
