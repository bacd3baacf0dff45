import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { sendPlain } from './http-request.ts'
import { timeSeries, writeOf } from './remote-write-request.ts'
import { type Held, type StandIn, type StandInOptions, startStandIn } from './stand-ins/stand-in.ts'

const AT_MS = 1_795_408_705_854
const running: StandIn[] = []
afterAll(() => Promise.all(running.map(one => one.stop())))

async function start(options: StandInOptions = {}): Promise<StandIn> {
  const standIn = await startStandIn('remote-write', { now: () => AT_MS, ...options })
  running.push(standIn)
  return standIn
}

const sample = (metric: string, atMs = AT_MS, value = 1) =>
  writeOf(timeSeries({ __name__: metric, instance: 'БУХ-1С', tenant: 'ООО Ромашка' }, [atMs, value]))

describe('what it holds', () => {
  it('per series and time, with how often it was taken', async () => {
    const standIn = await start()
    await sendPlain(standIn.url, sample('onec_cpu_percent', AT_MS - 1000, 45.2))
    await sendPlain(standIn.url, sample('onec_cpu_percent', AT_MS, 46))
    await sendPlain(standIn.url, sample('onec_cpu_percent', AT_MS, 46))
    expect([...standIn.series().values()]).toEqual([
      {
        name: 'onec_cpu_percent',
        labels: { instance: 'БУХ-1С', tenant: 'ООО Ромашка' },
        samples: [
          { atMs: AT_MS - 1000, value: 45.2, times: 1 },
          { atMs: AT_MS, value: 46, times: 2 },
        ],
      },
    ])
    expect(standIn.counts()).toMatchObject({ requests: 3, refused: 0, taken: 3, takenAgain: 1 })
  })

  it('drops the oldest beyond its bounds, and counts them', async () => {
    const standIn = await start({ bounds: { maxSeries: 2, maxSamplesPerSeries: 2 } })
    for (const at of [0, 1, 2]) await sendPlain(standIn.url, sample('a', AT_MS + at))
    for (const metric of ['b', 'c']) await sendPlain(standIn.url, sample(metric))
    expect([...standIn.series().values()].map(({ name }) => name)).toEqual(['b', 'c'])
    expect(standIn.counts()).toMatchObject({ droppedSeries: 1, droppedSamples: 1 })
  })

  it('remembers requests without their credentials', async () => {
    const standIn = await start({ credentials: { scheme: 'basic', user: '123456', password: 's3cret' } })
    const request = sample('a')
    const authorization = `Basic ${Buffer.from('123456:s3cret').toString('base64')}`
    await sendPlain(standIn.url, { ...request, headers: { ...request.headers, authorization } })
    expect(standIn.requests()).toMatchObject([{ status: 204, headers: { authorization: 'Basic …' } }])
  })
})

describe('credentials', () => {
  const bearer = { scheme: 'bearer', token: 't0ken' } as const
  it.each([
    ['none', undefined, 401],
    ['another token', 'Bearer other', 401],
    ['another scheme', 'Basic t0ken', 401],
    ['the right ones', 'Bearer t0ken', 204],
    ['the scheme in small letters', 'bearer t0ken', 204],
  ])('%s', async (_, authorization, status) => {
    const standIn = await start({ credentials: bearer })
    const request = sample('a')
    const headers = { ...request.headers, ...(authorization && { authorization }) }
    expect((await sendPlain(standIn.url, { ...request, headers })).status).toBe(status)
    expect(standIn.counts().unauthorized).toBe(status === 401 ? 1 : 0)
  })
})

describe('told to fail', () => {
  it('with a status, so many times', async () => {
    const standIn = await start()
    standIn.behave({ kind: 'status', status: 503, headers: { 'retry-after': '7' }, body: 'busy', times: 2 })
    const answers = [await sendPlain(standIn.url, sample('a')), await sendPlain(standIn.url, sample('a'))]
    expect(answers).toMatchObject(Array(2).fill({ status: 503, headers: { 'retry-after': '7' }, body: 'busy' }))
    expect(standIn.counts().taken).toBe(0)
    expect((await sendPlain(standIn.url, sample('a'))).status).toBe(204)
  })

  it('for a time', async () => {
    let nowMs = AT_MS
    const standIn = await start({ now: () => nowMs })
    standIn.behave({ kind: 'status', status: 500, forMs: 1000 })
    expect((await sendPlain(standIn.url, sample('a'))).status).toBe(500)
    nowMs += 1000
    expect((await sendPlain(standIn.url, sample('a'))).status).toBe(204)
  })

  it('by dropping the connection', async () => {
    const standIn = await start()
    standIn.behave({ kind: 'drop', times: 1 })
    await expect(sendPlain(standIn.url, sample('a'))).rejects.toThrow()
    expect(standIn.counts().taken).toBe(0)
  })

  it('by losing the reply: the re-send is taken again', async () => {
    const standIn = await start()
    standIn.behave({ kind: 'drop-after-store', times: 1 })
    await expect(sendPlain(standIn.url, sample('a'))).rejects.toThrow()
    expect((await sendPlain(standIn.url, sample('a'))).status).toBe(204)
    expect([...standIn.series().values()][0]?.samples).toEqual([{ atMs: AT_MS, value: 1, times: 2 }])
  })

  it('by hanging, while its control still answers', async () => {
    const standIn = await start()
    standIn.behave({ kind: 'hang' })
    const hanging = sendPlain(standIn.url, sample('a'))
    const outcome = hanging.then(
      () => 'answered',
      () => 'ended',
    )
    expect((await sendPlain(standIn.url, { method: 'GET', path: '/-/held' })).status).toBe(200)
    await standIn.stop()
    expect(await outcome).toBe('ended')
  })

  it('slowly', async () => {
    const standIn = await start()
    standIn.behave({ kind: 'slow', delayMs: 1, times: 1 })
    expect((await sendPlain(standIn.url, sample('a'))).status).toBe(204)
  })
})

describe('over HTTP', () => {
  const behave = (standIn: StandIn, body: string) => sendPlain(standIn.url, { method: 'POST', path: '/-/behave', body })

  it('is told to fail', async () => {
    const standIn = await start()
    expect((await behave(standIn, '{"kind":"status","status":429,"times":1}')).status).toBe(204)
    expect((await sendPlain(standIn.url, sample('a'))).status).toBe(429)
    expect((await sendPlain(standIn.url, sample('a'))).status).toBe(204)
  })

  it.each(['', '{"kind":"explode"}', '{"kind":"status"}', '{"kind":"hang","until":1}'])('refuses %s', async body => {
    expect((await behave(await start(), body)).status).toBe(422)
  })

  it('says what it holds', async () => {
    const standIn = await start()
    await sendPlain(standIn.url, sample('a'))
    const read = async (path: string) =>
      JSON.parse((await sendPlain(standIn.url, { method: 'GET', path })).body) as Held
    const newest = { atMs: AT_MS, value: 1, times: 1 }
    const series = { name: 'a', labels: { instance: 'БУХ-1С', tenant: 'ООО Ромашка' }, count: 1, newest }
    expect((await read('/-/held')).series).toEqual([series])
    expect((await read('/-/held?samples=1')).series).toEqual([{ ...series, samples: [newest] }])
    expect((await sendPlain(standIn.url, { method: 'POST', path: '/-/clear' })).status).toBe(204)
    expect((await read('/-/held')).series).toEqual([])
  })

  it('has a page for people', async () => {
    const standIn = await start()
    await sendPlain(standIn.url, sample('a', AT_MS, 45.2))
    const { body, headers } = await sendPlain(standIn.url, { method: 'GET', path: '/' })
    expect(headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(body).toContain('a{instance="БУХ-1С", tenant="ООО Ромашка"}  45.2  (1 samples, newest 0 s ago)')
  })
})

describe('as a process', () => {
  const main = fileURLToPath(new URL('./stand-ins/main.ts', import.meta.url))
  const run = (...args: string[]) => spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })

  it('prints its URLs and ends when its input closes', async () => {
    const child = run('--kinds', 'loki,remote-write')
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    const urls = JSON.parse(line) as Record<string, string>
    expect(Object.keys(urls).sort()).toEqual(['loki', 'remote-write'])
    expect((await sendPlain(urls['remote-write'] ?? '', sample('a'))).status).toBe(204)
    child.stdin.end()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('ends on SIGTERM', async () => {
    const child = run('--kinds', 'pushgateway')
    await once(createInterface(child.stdout), 'line')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('says which kinds there are', async () => {
    const child = run('--kinds', 'graphite')
    let said = ''
    child.stderr.on('data', chunk => {
      said += chunk
    })
    expect(await once(child, 'close')).toEqual([1, null])
    expect(said).toContain('remote-write,pushgateway,influxdb,loki')
  })
})
