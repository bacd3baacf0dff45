import { afterAll, describe, expect, it } from 'vitest'
import { influxdbRows, influxV1Path, influxV2Path } from './conformance/influxdb-rows.ts'
import { lokiRows } from './conformance/loki-rows.ts'
import { pushgatewayRows } from './conformance/pushgateway-rows.ts'
import { remoteWriteRows } from './conformance/remote-write-rows.ts'
import type { Row } from './conformance/row.ts'
import { sendPlain } from './http-request.ts'
import type { StandInKind } from './stand-ins/protocol.ts'
import { type StandIn, type StandInOptions, startStandIn } from './stand-ins/stand-in.ts'

/**
 * The tables that `test/real/conformance.test.ts` sends to real servers as well, here against the statuses measured
 * there: mirrored, and strict, where a defect is a 400 and all else the same.
 */
const nowMs = Date.now()

const tables: readonly [string, StandInKind, StandInOptions, () => readonly Row[]][] = [
  ['remote write', 'remote-write', {}, () => remoteWriteRows(nowMs)],
  [
    'remote write with a window',
    'remote-write',
    { outOfOrderWindowMs: 7_200_000 },
    () => remoteWriteRows(nowMs).map(row => ({ ...row, status: row.windowStatus ?? row.status })),
  ],
  ['Pushgateway', 'pushgateway', {}, pushgatewayRows],
  ['InfluxDB v1', 'influxdb', { database: 'onec' }, () => influxdbRows(nowMs, influxV1Path)],
  [
    'InfluxDB v2',
    'influxdb',
    { org: 'myorg', bucket: 'onec_metrics' },
    () => influxdbRows(nowMs, influxV2Path).map(row => ({ ...row, status: row.v2Status ?? row.status })),
  ],
  ['Loki', 'loki', {}, () => lokiRows(nowMs)],
]

const running: StandIn[] = []
afterAll(() => Promise.all(running.map(one => one.stop())))

async function start(kind: StandInKind, options: StandInOptions): Promise<StandIn> {
  const standIn = await startStandIn(kind, { ...options, now: () => nowMs })
  running.push(standIn)
  return standIn
}

describe.each(tables)('%s', (_, kind, options, rows) => {
  it('mirrors the real server', async () => {
    const standIn = await start(kind, { ...options, onDefect: 'mirror' })
    for (const { name, request, status, defect } of rows()) {
      const before = standIn.defects().length
      expect((await sendPlain(standIn.url, request)).status, name).toBe(status)
      const found = standIn.defects().slice(before).join('\n')
      if (defect) expect(found, name).toMatch(defect)
      else if (status < 300) expect(found, name).toBe('')
    }
  })

  it('refuses defects when strict', async () => {
    const standIn = await start(kind, options)
    for (const { name, request, status, defect } of rows()) {
      const taken = standIn.counts().taken
      const answer = await sendPlain(standIn.url, request)
      expect(answer.status, `${name}: ${answer.body}`).toBe(defect ? 400 : status)
      if (defect) expect(answer.body, name).toMatch(defect)
      if (defect) expect(standIn.counts().taken, name).toBe(taken)
    }
  })
})

it('Loki stores what is good of a refused request', async () => {
  const standIn = await start('loki', { onDefect: 'mirror' })
  for (const { name, request, stored } of lokiRows(nowMs)) {
    const before = standIn.counts().taken
    await sendPlain(standIn.url, request)
    expect(standIn.counts().taken - before, name).toBe(stored)
  }
})

it('InfluxDB v2 stores nothing of a request with an unreadable line, v1 what it can read', async () => {
  const body = 'm,a=b f=1 1795408705854\nbad line\nm,a=c f=2 1795408705854\n'
  const standIn = await start('influxdb', {})
  await sendPlain(standIn.url, { method: 'POST', path: influxV2Path('ms'), body })
  expect(standIn.counts().taken).toBe(0)
  await sendPlain(standIn.url, { method: 'POST', path: influxV1Path('ms'), body })
  expect(standIn.counts().taken).toBe(2)
})
