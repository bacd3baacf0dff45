import { Writer } from 'protobufjs'
import { afterAll, describe, expect, it } from 'vitest'
import { compareHeld, expectedOf } from './expectation.ts'
import { type PlainReply, sendPlain } from './http-request.ts'
import { snappyOf, timeSeries, writeOf } from './remote-write-request.ts'
import type { StandInKind } from './stand-ins/protocol.ts'
import { bitsOf, STALE_NAN_BITS } from './stand-ins/remote-write-message.ts'
import { type StandIn, startStandIn } from './stand-ins/stand-in.ts'

/** Mistakes that encoders have made, each of which a strict stand-in must not take. */

/** Odd on purpose: nanoseconds of a time that is a multiple of 4 ms survive a Number by luck. */
const AT_MS = 1_795_408_705_853
const running: StandIn[] = []
afterAll(() => Promise.all(running.map(one => one.stop())))

async function start(kind: StandInKind): Promise<StandIn> {
  const standIn = await startStandIn(kind, { now: () => AT_MS })
  running.push(standIn)
  return standIn
}

function expectRefused(standIn: StandIn, answer: PlainReply, why: RegExp, status = 400): void {
  expect(answer.status).toBe(status)
  expect(answer.body).toMatch(why)
  expect(standIn.counts().taken).toBe(0)
}

describe('nanoseconds through Number', () => {
  const push = (values: string) => ({
    method: 'POST',
    path: '/loki/api/v1/push',
    headers: { 'content-type': 'application/json' },
    body: `{"streams":[{"stream":{"host":"БУХ-1С"},"values":[${values}]}]}`,
  })

  it('as a number', async () => {
    const standIn = await start('loki')
    expectRefused(standIn, await sendPlain(standIn.url, push(`[${AT_MS * 1e6},"x"]`)), /timestamp/)
  })

  it('as a string, 64 ns off', async () => {
    const standIn = await start('loki')
    const text = BigInt(AT_MS * 1e6).toString()
    expect(text).not.toBe(`${AT_MS}000000`)
    expectRefused(standIn, await sendPlain(standIn.url, push(`["${text}","x"]`)), /no whole millisecond/)
  })

  it('as a string, exactly', async () => {
    const standIn = await start('loki')
    expect((await sendPlain(standIn.url, push(`["${AT_MS}000000","x"]`))).status).toBe(204)
  })
})

it('unsorted samples: the real Prometheus answers 204 and loses one', async () => {
  const standIn = await start('remote-write')
  const request = writeOf(timeSeries({ __name__: 'onec_cpu_percent' }, [AT_MS, 2], [AT_MS - 60_000, 1]))
  expectRefused(standIn, await sendPlain(standIn.url, request), /not sorted/)
})

it('trailing backslash: VictoriaMetrics answers 204 and swallows the next tag', async () => {
  const standIn = await start('influxdb')
  const body = `system_metrics,volume=C:\\Backup\\,host=БУХ-1С volume_free_bytes=1e11 ${AT_MS}\n`
  const path = '/api/v2/write?org=o&bucket=b&precision=ms'
  expectRefused(standIn, await sendPlain(standIn.url, { method: 'POST', path, body }), /invalid tag format/)
})

it('duplicate labels: a 500 that no retry cures', async () => {
  const standIn = await start('remote-write')
  const labels = ['onec_cpu_percent', 'a', 'b'].map((value, index) => ({ name: index ? 'host' : '__name__', value }))
  const answer = await sendPlain(standIn.url, writeOf(timeSeries(labels, [AT_MS, 1])))
  expectRefused(standIn, answer, /"host" is not unique/, 500)
})

it('timestamped push', async () => {
  const standIn = await start('pushgateway')
  const headers = { 'content-type': 'text/plain; version=0.0.4' }
  const body = `# TYPE onec_cpu_percent gauge\nonec_cpu_percent 45.2 ${AT_MS}\n`
  const path = '/metrics/job/onec_backup_bot/instance/x'
  expectRefused(standIn, await sendPlain(standIn.url, { method: 'PUT', path, headers, body }), /timestamps/)
})

describe('NaN as 0', () => {
  const LABELS = { instance: 'БУХ-1С' }
  const series = (name: string, value: number | bigint) => timeSeries({ __name__: name, ...LABELS }, [AT_MS, value])
  /** The users could not be counted: what is unknown is left out. */
  const snapshot = { atMs: AT_MS, metrics: { onec_cpu_percent: 45.2 } }

  it('an unknown reading sent as NaN is refused', async () => {
    const standIn = await start('remote-write')
    const request = writeOf(series('onec_cpu_percent', 45.2), series('onec_logged_users_count', Number.NaN))
    expectRefused(standIn, await sendPlain(standIn.url, request), /no stale marker/)
  })

  it('an unknown reading sent as 0 is found by comparing with the snapshot', async () => {
    const standIn = await start('remote-write')
    await sendPlain(standIn.url, writeOf(series('onec_cpu_percent', 45.2), series('onec_logged_users_count', 0)))
    const difference = compareHeld(standIn.series().values(), expectedOf([snapshot], LABELS))
    expect(difference).toEqual({
      missing: [],
      invented: [`onec_logged_users_count{"instance":"БУХ-1С"} at ${AT_MS}: 0`],
      altered: [],
      repeated: [],
    })
  })

  it('a stale marker that went through a number is an ordinary NaN, and refused', async () => {
    const standIn = await start('remote-write')
    const throughNumber = bitsOf(Number.NaN + 0)
    expect(throughNumber).not.toBe(STALE_NAN_BITS)
    const answer = await sendPlain(standIn.url, writeOf(series('onec_cpu_percent', throughNumber)))
    expectRefused(standIn, answer, /no stale marker/)
  })

  it('a stale marker dropped by the encoder arrives as 0.0, and is found', async () => {
    const standIn = await start('remote-write')
    // What is left of Sample{value=NaN} when a library drops a NaN like a default: the time alone.
    const label = (name: string, value: string) =>
      Writer.create().uint32(10).string(name).uint32(18).string(value).finish()
    const series = Writer.create()
      .uint32(10)
      .bytes(label('__name__', 'onec_cpu_percent'))
      .uint32(10)
      .bytes(label('instance', LABELS.instance))
      .uint32(18)
      .bytes(Writer.create().uint32(16).int64(AT_MS).finish())
      .finish()
    const body = snappyOf(Writer.create().uint32(10).bytes(series).finish())
    expect((await sendPlain(standIn.url, { ...writeOf(), body })).status).toBe(204)
    const stale = [{ name: 'onec_cpu_percent', labels: LABELS, atMs: AT_MS, value: 'stale' }]
    expect(compareHeld(standIn.series().values(), stale).altered).toEqual([
      expect.stringContaining(': 0 instead of stale'),
    ])
  })

  it('a stale marker kept to the bit is taken', async () => {
    const standIn = await start('remote-write')
    expect((await sendPlain(standIn.url, writeOf(series('onec_cpu_percent', STALE_NAN_BITS)))).status).toBe(204)
    expect([...standIn.series().values()][0]?.samples[0]?.value).toBe('stale')
  })
})
