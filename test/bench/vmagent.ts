import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { until } from '../support/process.ts'
import { launch, type RealServer } from '../support/real-server-process.ts'
import type { Fixture } from './fixture.ts'
import { cpuMs } from './process-stats.ts'
import { CLIENTS, POSTS_PER_SECOND } from './steady.ts'

const FLUSHED_AFTER_MS = 1_500
const SENT_WITHIN_MS = 30_000

/** CPU of Debian's vmagent per request of 45 samples, through to two remote writes at the same sinks and rate. */
export async function measureVmagent(fixture: Fixture, hosts: number, rounds: number): Promise<number> {
  const vmagent = await startVmagent(fixture.twoRemoteWrites.map(({ settings }) => String(settings.url)))
  try {
    const port = Number(new URL(vmagent.url).port)
    const tokens = Array.from({ length: hosts }, () => '')
    const job = { to: 'vmagent', port, tokens, clients: CLIENTS, perSecond: POSTS_PER_SECOND } as const
    await fixture.load({ ...job, requests: hosts })
    await sent(vmagent)
    const beforeMs = await cpuMs(vmagent.pid)
    const { requests } = await fixture.load({ ...job, requests: hosts * rounds })
    await sent(vmagent)
    return ((await cpuMs(vmagent.pid)) - beforeMs) / requests
  } finally {
    await vmagent.stop()
  }
}

function startVmagent(urls: readonly string[]): Promise<RealServer> {
  return launch({
    binary: 'vmagent',
    debianPackage: 'victoria-metrics',
    readyPath: '/health',
    args: (directory, port) => [
      `-httpListenAddr=127.0.0.1:${port}`,
      `-remoteWrite.tmpDataPath=${join(directory, 'queue')}`,
      ...urls.map(url => `-remoteWrite.url=${url}`),
      '-loggerLevel=WARN',
    ],
  })
}

/** It flushes once a second; what it holds then is in its queue until it is sent. */
async function sent({ url }: RealServer): Promise<void> {
  await wait(FLUSHED_AFTER_MS)
  const done = await until(() => hasSentAll(url), SENT_WITHIN_MS, 250)
  if (!done) throw new Error('vmagent did not send what it took')
}

async function hasSentAll(url: string): Promise<boolean> {
  const page = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) })).text()
  const pending = [...page.matchAll(/^vmagent_remotewrite_pending_(?:data_bytes|inmemory_blocks)\{.*\} (\d+)$/gm)]
  if (pending.length !== 4) throw new Error('vmagent does not say what it holds for two remote writes')
  return pending.every(([, held]) => held === '0')
}
