import { expect, test } from 'vitest'
import { applyReport } from '../../../relay/tenant/backups.ts'
import { newHost } from '../../../relay/tenant/host-memory.ts'
import {
  admit,
  countHosts,
  enrolled,
  findHost,
  hostDetail,
  hostView,
  MAX_HOSTS,
  nextDeadlineOf,
  postsDue,
  reconfigured,
} from '../../../relay/tenant/hosts.ts'
import { hostRecord, NOW, report, seenHost } from './fixtures.ts'

const HASH = 'a'.repeat(64)
const OTHER = 'b'.repeat(64)
const ENROLMENT = {
  machineId: 'machine-1',
  hostname: 'SRV-1C',
  name: 'БУХ-1С',
  os: 'Windows Server 2025',
  secretHash: OTHER,
}

test('a host with a valid token may post', () => {
  const host = hostRecord()
  expect(admit(host, { hostId: 'h1', secretHash: HASH })).toEqual({ ok: true, value: host })
  const rotating = hostRecord({ tokens: [HASH, OTHER] })
  for (const secretHash of [HASH, OTHER]) expect(admit(rotating, { hostId: 'h1', secretHash }).ok).toBe(true)
})

test.each([
  ['host_unknown', undefined, HASH],
  ['token_revoked', hostRecord(), OTHER],
  ['token_revoked', hostRecord(), HASH.slice(1)],
  ['token_revoked', hostRecord(), ''],
  ['host_removed', hostRecord({ removedAtMs: NOW }), HASH],
  // Who has no valid token learns nothing, and its agent is not told to erase itself.
  ['token_revoked', hostRecord({ removedAtMs: NOW }), OTHER],
] as const)('others get %s', (code, host, secretHash) => {
  expect(admit(host, { hostId: 'h1', secretHash })).toMatchObject({ ok: false, code })
})

test('a new machine is a new host', () => {
  expect(enrolled([], ENROLMENT, 'h9', NOW)).toMatchObject({
    ok: true,
    value: { id: 'h9', name: 'БУХ-1С', tokens: [OTHER], configRevision: 0, enrolledAtMs: NOW, removedAtMs: null },
  })
})

test('a known machine stays the host it was, with a further token and the old one still valid', () => {
  const known = hostRecord({ config: { intervalMs: 5_000 }, configRevision: 3 })
  expect(enrolled([known], { ...ENROLMENT, name: 'БУХ-2' }, 'h9', NOW + 5)).toEqual({
    ok: true,
    value: { ...known, name: 'БУХ-2', os: 'Windows Server 2025', tokens: [HASH, OTHER] },
  })
  const third = enrolled([hostRecord({ tokens: [HASH, 'c'.repeat(64)] })], ENROLMENT, 'h9', NOW)
  expect(third).toMatchObject({ value: { tokens: ['c'.repeat(64), OTHER] } })
})

test('a clone, which has the machine’s id and another name of its own, is a host of its own', () => {
  const clone = { ...ENROLMENT, hostname: 'SRV-КЛОН', name: 'SRV-КЛОН' }
  expect(enrolled([hostRecord()], clone, 'h9', NOW)).toMatchObject({ value: { id: 'h9', tokens: [OTHER] } })
})

test('while a copy is known, another name makes a new host and its own name voids the older tokens', () => {
  const hasClones = (id: string) => id === 'h1'
  const copy = { ...ENROLMENT, name: 'БУХ-КОПИЯ' }
  const made = enrolled([hostRecord()], copy, 'h9', NOW, hasClones)
  expect(made).toMatchObject({ value: { id: 'h9', name: 'БУХ-КОПИЯ', tokens: [OTHER] } })
  const again = enrolled([hostRecord()], ENROLMENT, 'h9', NOW, hasClones)
  expect(again).toMatchObject({ value: { id: 'h1', name: 'БУХ-1С', tokens: [OTHER] } })
})

test('once two hosts have one machine’s id and hostname, only the name tells them apart', () => {
  const both = [hostRecord(), hostRecord({ id: 'h2', name: 'БУХ-КОПИЯ', tokens: ['c'.repeat(64)] })]
  const enrol = (name: string) => enrolled(both, { ...ENROLMENT, name }, 'h9', NOW)
  expect(enrol('БУХ-1С')).toMatchObject({ value: { id: 'h1', tokens: [HASH, OTHER] } })
  expect(enrol('БУХ-КОПИЯ')).toMatchObject({ value: { id: 'h2', tokens: ['c'.repeat(64), OTHER] } })
  expect(enrol('Третий')).toMatchObject({ value: { id: 'h9' } })
})

test('a name is taken once among the hosts that are there', () => {
  const machine = { ...ENROLMENT, machineId: 'machine-2' }
  expect(enrolled([hostRecord()], machine, 'h9', NOW)).toMatchObject({ ok: false, code: 'host_name_taken' })
  expect(enrolled([hostRecord({ removedAtMs: NOW })], machine, 'h9', NOW)).toMatchObject({ value: { id: 'h9' } })
})

test('a machine that was removed comes back as a new host', () => {
  expect(enrolled([hostRecord({ removedAtMs: NOW })], ENROLMENT, 'h9', NOW)).toMatchObject({ value: { id: 'h9' } })
})

test('a tenant is full at 1,000 hosts; those that are known still enrol', () => {
  const hosts = Array.from({ length: MAX_HOSTS }, (_, index) =>
    hostRecord({ id: `h${index}`, name: `БУХ-${index}`, machineId: `machine-${index}` }),
  )
  const machine = { ...ENROLMENT, name: 'Ещё один', machineId: 'machine-new' }
  expect(enrolled(hosts, machine, 'h9', NOW)).toMatchObject({ ok: false, code: 'tenant_full' })
  expect(enrolled(hosts.slice(1), machine, 'h9', NOW).ok).toBe(true)
  expect(enrolled(hosts, { ...ENROLMENT, name: 'БУХ-1' }, 'h9', NOW)).toMatchObject({ value: { id: 'h1' } })
})

test('hosts are found by id, then by name, removed ones never', () => {
  const hosts = new Map(
    [
      hostRecord({ id: 'h2', name: 'h1' }),
      hostRecord(),
      hostRecord({ id: 'h3', name: 'Старый', removedAtMs: NOW }),
    ].map(host => [host.id, host]),
  )
  expect(findHost(hosts, 'h1')).toMatchObject({ value: { id: 'h1' } })
  expect(findHost(hosts, 'БУХ-1С')).toMatchObject({ value: { id: 'h1' } })
  for (const gone of ['h3', 'Старый', 'нет такого'])
    expect(findHost(hosts, gone)).toMatchObject({ ok: false, code: 'not_found' })
})

test('each configuration has a revision of its own', () => {
  const host = reconfigured(reconfigured(hostRecord(), { intervalMs: 5_000 }), {})
  expect(host).toEqual(hostRecord({ configRevision: 2 }))
})

test('a view shows the health of now', () => {
  expect(hostView(hostRecord(), seenHost(), NOW).state).toBe('up')
  expect(hostView(hostRecord(), seenHost(), NOW + 60_000 + 180_000).state).toBe('down')
})

test('a view shows what its times are corrected by, and copies that are kept out', () => {
  expect(hostView(hostRecord(), seenHost(), NOW)).toMatchObject({ clockOffsetMs: null, clones: [] })
  const clock = { ...seenHost().clock, offsetMs: 7_200_000 }
  const clones = [{ spoolId: 'AAAAAAAAAAAAAAA8', bootId: null }]
  expect(hostView(hostRecord(), seenHost({ clock, clones }), NOW)).toMatchObject({ clockOffsetMs: 7_200_000, clones })
})

test('a detail shows backups by name, with time and size of the last good run', () => {
  const failed = [report(), report({ state: 'failed', completedAtMs: NOW + 5 })].reduce(
    (memory, one) => applyReport(memory, one),
    applyReport(undefined, report()),
  )
  const detail = hostDetail(hostRecord(), seenHost({ backups: new Map([['Зарплата 3.1', failed]]) }), [], NOW)
  expect(detail.backups).toEqual([
    {
      name: 'Зарплата 3.1',
      state: 'failed',
      source: 'run',
      reason: null,
      status: 0,
      completedAtMs: NOW,
      sizeBytes: 1_000,
      durationMs: 5_000,
      dueAtMs: null,
      runs: { ok: 1, failed: 1 },
    },
  ])
})

test('hosts are counted by state', () => {
  const views = [seenHost(), seenHost({ dueAtMs: NOW - 100_000 }), newHost(NOW)].map(memory =>
    hostView(hostRecord(), memory, NOW),
  )
  expect(countHosts(views)).toEqual({ total: 3, byState: { pending: 1, up: 1, late: 1, down: 0, disabled: 0 } })
})

test('the next deadline of all is the earliest', () => {
  expect(nextDeadlineOf([newHost(NOW), seenHost(), seenHost({ dueAtMs: NOW + 1_000 })])).toBe(NOW + 91_000)
  expect(nextDeadlineOf([newHost(NOW)])).toBeUndefined()
})

test('posts that should be coming in: granted for about now, a little overdue, or about to be', () => {
  const due = (...times: (number | null)[]) =>
    postsDue(
      times.map(dueAtMs => seenHost({ dueAtMs })),
      NOW,
    )
  expect(due()).toBe(0)
  expect(due(null, NOW - 1_001, NOW + 101, NOW + 60_000)).toBe(0)
  expect(due(NOW - 1_000, NOW, NOW + 100)).toBe(3)
})
