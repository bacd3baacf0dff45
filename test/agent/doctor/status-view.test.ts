import { describe, expect, it } from 'vitest'
import { judgeService } from '../../../agent/doctor/service.ts'
import { isAllRight, renderStatus, type StatusFacts, statusJson } from '../../../agent/doctor/status-view.ts'
import { HOUR_MS, NOW_MS, report, status } from './findings.ts'

const runningService = judgeService({
  runs: true,
  state: 'running',
  exitCode: 0,
  startType: 'automatic',
  startsItself: true,
  restarts: true,
  account: 'LocalSystem',
})

const followed = {
  path: 'D:\\backup\\backup.log',
  source: 'D:\\backup\\*.log',
  encoding: 'cp1251',
  offset: 18_432,
  sizeBytes: 18_432,
  entriesSpooled: 120,
  entriesLeftOut: 0,
  bytesPassedOver: 0,
  problem: null,
}

const facts = (changes: Partial<StatusFacts> = {}): StatusFacts => ({
  condition: 'running',
  version: '1.0.0',
  hostname: 'БУХ-1С',
  stateDirectory: 'C:\\ProgramData\\onec-agent',
  nowMs: NOW_MS,
  service: runningService,
  agent: status({ logFiles: [followed], backups: [report('ut11'), report('Зарплата и управление персоналом 3.1')] }),
  ...changes,
})

const spool = { pendingBatches: 0, oldestAtMs: null, droppedSnapshots: 0, asideBatches: 0 }
const late = report('БП 3.0', { state: 'late', reason: 'late: no good backup by 06:00', completedAtMs: null })
const bad = facts({
  proxy: 'http://proxy.local:3128',
  agent: status({
    problem: { sinceMs: NOW_MS - 3 * HOUR_MS, reason: 'no answer in time (ETIMEDOUT)' },
    unread: [{ family: 'disk-io', reason: 'disk counters are off' }],
    spool: { pendingBatches: 41, oldestAtMs: NOW_MS - 3 * HOUR_MS, droppedSnapshots: 17, asideBatches: 2 },
    backups: [
      ...Array.from({ length: 10 }, (_, index) => report(`база-${index}`, { state: 'unchanged' })),
      report('Розница', { state: 'failed', reason: 'truncated: 1048576 bytes' }),
      late,
    ],
  }),
})

describe.each(['en', 'ru'] as const)('the status in %s', language => {
  const reader = { language, timeZone: 'Europe/Moscow' }
  it.each([
    ['healthy', facts()],
    ['bad', bad],
    ['new', facts({ condition: 'not enrolled', agent: undefined, service: [] })],
  ])('of a host that is %s fits one screen', async (name, each) => {
    const text = renderStatus(each, reader)
    expect(text.split('\n').length).toBeLessThanOrEqual(24)
    expect(text.split('\n').filter(line => line.length > 80)).toEqual([])
    await expect(`${text}\n`).toMatchFileSnapshot(`../../golden/agent/status-${name}.${language}.txt`)
  })
})

it('is right only while the agent runs, takes snapshots, delivers, and its backups are good', () => {
  expect(isAllRight(facts())).toBe(true)
  const wrong: Partial<StatusFacts>[] = [
    { condition: 'stopped' },
    { condition: 'removed' },
    { condition: 'not enrolled' },
    { agent: undefined },
    { agent: status({ lastDeliveredAtMs: NOW_MS - HOUR_MS, spool: { ...spool, pendingBatches: 1 } }) },
    { agent: status({ lastSnapshotAtMs: NOW_MS - 181_000 }) },
    { agent: status({ problem: { sinceMs: NOW_MS - 181_000, reason: 'x' } }) },
    { agent: status({ problem: { sinceMs: NOW_MS, reason: 'host_cloned: another machine' } }) },
    { agent: status({ backups: [late] }) },
    { agent: status({ logFiles: [{ ...followed, problem: { code: 'unreadable', detail: 'EACCES' } }] }) },
    { service: judgeService({ ...serviceStopped }) },
  ]
  expect(wrong.filter(each => isAllRight(facts(each)))).toEqual([])
  expect(isAllRight(facts({ agent: status({ lastSnapshotAtMs: NOW_MS - 179_000 }) }))).toBe(true)
  expect(isAllRight(facts({ agent: status({ problem: { sinceMs: NOW_MS - 60_000, reason: 'x' } }) }))).toBe(true)
  expect(isAllRight(facts({ agent: status({ lastDeliveredAtMs: NOW_MS - HOUR_MS }) }))).toBe(true)
  expect(isAllRight(facts({ service: [], agent: status({ unread: [{ family: 'users', reason: 'x' }] }) }))).toBe(true)
})

const serviceStopped = {
  runs: false,
  state: 'inactive',
  exitCode: 0,
  startType: 'enabled',
  startsItself: true,
  restarts: true,
  account: 'root',
}

it('names what keeps it from delivering before that is an outage', () => {
  const problem = { sinceMs: NOW_MS - 60_000, reason: 'the proxy cannot be reached (ECONNREFUSED)' }
  const text = renderStatus(facts({ agent: status({ problem }) }), { language: 'ru' })
  expect(text).toMatch(/^Всё в порядке\./)
  expect(text).toContain('Проблема      прокси недоступен (ECONNREFUSED)')
})

it('is complete for a program', () => {
  expect(statusJson(bad, { language: 'en' })).toMatchObject({
    ok: false,
    verdict: expect.stringContaining('Something is wrong'),
    condition: 'running',
    hostname: 'БУХ-1С',
    proxy: 'http://proxy.local:3128',
    agent: { hostId: 'h1', spool: { pendingBatches: 41 }, unread: [{ family: 'disk-io' }] },
    findings: expect.arrayContaining([expect.objectContaining({ code: 'backup.late', severity: 'error' })]),
  })
  const fresh = statusJson(facts({ condition: 'not enrolled', agent: undefined }), { language: 'ru' })
  expect(fresh).toMatchObject({ ok: false, agent: null, proxy: null })
})
