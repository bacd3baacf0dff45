import { expect, test } from 'vitest'
import { nextPostInMs, windowEndMs, windowWidthMs } from '../../../relay/tenant/send-window.ts'
import { ackSchema } from '../../../shared/wire.ts'
import { idOf, NOW } from './fixtures.ts'

const INTERVALS_MS = [1_000, 5_000, 60_000, 61_001, 3_600_000]
const hostIds = Array.from({ length: 50 }, (_, index) => `h${index}`)

test.each(INTERVALS_MS)('the next post is half to one and a half intervals away (%i ms)', intervalMs => {
  for (const hostId of hostIds)
    for (let step = 0; step < 20; step += 1) {
      const inMs = nextPostInMs({ tenantId: 'romashka', hostId, intervalMs, hosts: 50 }, NOW + step * 7_919)
      expect(inMs).toBeGreaterThanOrEqual(intervalMs / 2)
      expect(inMs).toBeLessThanOrEqual(intervalMs * 1.5)
      expect(inMs).toBe(Math.round(inMs))
      expect(ackSchema.safeParse({ id: idOf(1), status: 'stored', nextInMs: inMs, config: 0 }).success).toBe(true)
    }
})

test('the hosts of a tenant share one window, each with its own place in it', () => {
  const places = hostIds.map(hostId => {
    const inMs = nextPostInMs({ tenantId: 'romashka', hostId, intervalMs: 60_000, hosts: 50 }, NOW)
    return (NOW + inMs) % 60_000
  })
  const first = Math.min(...places)
  const width = Math.max(...places) - first
  // The window may lie over the turn of an interval.
  expect(Math.min(width, 60_000 - width)).toBeLessThanOrEqual(100)
  expect(new Set(places).size).toBeGreaterThan(25)
})

test('the window is as wide as the hosts need at 500 posts a second', () => {
  const schedule = { tenantId: 'romashka', intervalMs: 60_000, hosts: 1_000 }
  const places = Array.from({ length: 1_000 }, (_, index) => {
    const inMs = nextPostInMs({ ...schedule, hostId: `h${index}` }, NOW)
    return (NOW + inMs) % 60_000
  }).sort((a, b) => a - b)
  const gaps = places.map((place, index) => ((places[(index + 1) % places.length] ?? 0) - place + 60_000) % 60_000)
  expect(60_000 - Math.max(...gaps)).toBeLessThanOrEqual(2_000)
  expect(60_000 - Math.max(...gaps)).toBeGreaterThan(1_900)
})

test('a host that posts when told stays at its place', () => {
  const schedule = { tenantId: 'romashka', hostId: 'h1', intervalMs: 60_000, hosts: 10 }
  const first = NOW + nextPostInMs(schedule, NOW)
  const second = first + nextPostInMs(schedule, first)
  expect(second - first).toBe(60_000)
  // A little late, it does not drift.
  expect(first + 300 + nextPostInMs(schedule, first + 300)).toBe(second)
})

test('tenants do not all post at the same moment', () => {
  const places = Array.from({ length: 100 }, (_, index) =>
    nextPostInMs({ tenantId: `tenant-${index}`, hostId: 'h1', intervalMs: 60_000, hosts: 1 }, NOW),
  )
  expect(new Set(places.map(inMs => Math.floor(inMs / 6_000))).size).toBe(10)
})

test.each(INTERVALS_MS)('a window is over once an interval, after every place in it (%i ms)', intervalMs => {
  const window = { tenantId: 'romashka', intervalMs, hosts: 50 }
  const endMs = windowEndMs(window, NOW)
  expect(endMs).toBeGreaterThanOrEqual(NOW)
  expect(endMs - NOW).toBeLessThan(intervalMs)
  expect(windowEndMs(window, endMs)).toBe(endMs)
  expect(windowEndMs(window, endMs + 1)).toBe(endMs + intervalMs)
  for (const hostId of hostIds) {
    const beforeEndMs = (endMs + intervalMs * 2 - (NOW + nextPostInMs({ ...window, hostId }, NOW))) % intervalMs
    expect(beforeEndMs).toBeLessThanOrEqual(windowWidthMs(window))
  }
})
