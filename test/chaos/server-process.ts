import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../support/process.ts'
import { freePort, requireBinary } from '../support/real-servers.ts'
import { killAtExit } from './at-exit.ts'

const READY_WITHIN_MS = 30_000
const KEPT_CHARS = 4_000

/** One of Debian's servers that can be killed and started again on its port and its state. */
export interface ServerProcess {
  readonly port: number
  readonly url: string
  start(): Promise<void>
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>
}

interface Program {
  readonly binary: string
  readonly debianPackage: string
  readonly readyPath: string
  readonly files: Readonly<Record<string, string>>
  readonly args: (port: number, directory: string) => readonly string[]
}

const PROMETHEUS: Program = {
  binary: 'prometheus',
  debianPackage: 'prometheus',
  readyPath: '/-/ready',
  files: { 'prometheus.yml': 'scrape_configs: []\n' },
  args: (port, directory) => [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-remote-write-receiver',
    '--log.level=warn',
  ],
}

const VICTORIA_METRICS: Program = {
  binary: 'victoria-metrics',
  debianPackage: 'victoria-metrics',
  readyPath: '/health',
  files: {},
  args: (port, directory) => [
    `-httpListenAddr=127.0.0.1:${port}`,
    `-storageDataPath=${join(directory, 'data')}`,
    '-retentionPeriod=100y',
    '-search.latencyOffset=0s',
    '-search.disableCache',
    '-memory.allowedPercent=10',
    // One sample written twice is one sample: VictoriaMetrics' own advice for senders that repeat themselves.
    '-dedup.minScrapeInterval=1ms',
    '-loggerLevel=WARN',
  ],
}

/** Without an out-of-order window. */
export const openPrometheus = (directory: string) => openServer(PROMETHEUS, directory)
export const openVictoriaMetrics = (directory: string) => openServer(VICTORIA_METRICS, directory)

async function openServer(program: Program, directory: string): Promise<ServerProcess> {
  const binary = requireBinary(program.binary, program.debianPackage)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  await mkdir(directory, { recursive: true })
  for (const [name, content] of Object.entries(program.files)) await writeFile(join(directory, name), content)
  let running: { readonly child: ChildProcess; readonly ended: Promise<void> } | undefined
  const isReady = () =>
    fetch(`${url}${program.readyPath}`, { signal: AbortSignal.timeout(1_000) }).then(
      reply => reply.ok,
      () => false,
    )
  return {
    port,
    url,
    async start() {
      const child = spawn(binary, program.args(port, directory), { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
      killAtExit(child)
      let said = ''
      const keep = (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-KEPT_CHARS)
      }
      child.stdout.on('data', keep)
      child.stderr.on('data', keep)
      running = { child, ended: new Promise(resolve => child.once('close', () => resolve())) }
      if (!(await until(isReady, READY_WITHIN_MS))) throw new Error(`${program.binary} is not ready. It said:\n${said}`)
    },
    async kill() {
      running?.child.kill('SIGKILL')
      await running?.ended
      running = undefined
    },
  }
}
