import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/**
 * Debian's servers as oracles: each on a loopback port of its own with its state in a temporary directory, ended by its
 * process id. A server that is not installed throws with the package to install; nothing is ever skipped.
 */
export interface RealServer {
  /** `http://127.0.0.1:<port>`, without a path. */
  readonly url: string
  readonly pid: number
  /** Ends it and removes its directory; safe to call twice. */
  stop(): Promise<void>
}

const READY_WITHIN_MS = 30_000
const STOP_WITHIN_MS = 5_000
const MAX_LOG_CHARS = 4_000

/** A port that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('The system gave no port on 127.0.0.1.')
  return address.port
}

/** Path of a program; throws with the Debian package that has it. */
export function requireBinary(name: string, debianPackage: string): string {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin']
  const found = directories.map(directory => join(directory, name)).find(path => existsSync(path))
  if (!found) throw new Error(`${name} is not installed. Install it: apt-get install ${debianPackage}`)
  return found
}

interface Launch {
  readonly binary: string
  readonly debianPackage: string
  /** Answers 2xx once the server takes requests. */
  readonly readyPath: string
  /** Files to write into the server's directory before it starts, by name. */
  readonly files?: (directory: string, port: number) => Readonly<Record<string, string>>
  readonly args: (directory: string, port: number) => readonly string[]
}

/** Starts one and waits until it answers; it ends with this process at the latest. */
export async function launch(what: Launch): Promise<RealServer> {
  const binary = requireBinary(what.binary, what.debianPackage)
  const directory = await mkdtemp(join(tmpdir(), `onec-${what.binary}-`))
  const port = await freePort()
  for (const [name, content] of Object.entries(what.files?.(directory, port) ?? {}))
    await writeFile(join(directory, name), content)
  const child = spawn(binary, what.args(directory, port), { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
  const log = tailOf(child)
  // Whoever started it may end without stopping it: a failed test, an uncaught error.
  const orphaned = () => {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
  process.once('exit', orphaned)
  const stop = async () => {
    process.off('exit', orphaned)
    await end(child)
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  const url = `http://127.0.0.1:${port}`
  try {
    await waitUntilReady(`${url}${what.readyPath}`, child)
  } catch (cause) {
    await stop()
    throw new Error(`${what.binary} did not become ready on port ${port}. Its last words:\n${log()}`, { cause })
  }
  return { url, pid: child.pid ?? -1, stop }
}

function tailOf(child: ChildProcess): () => string {
  let tail = ''
  const keep = (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-MAX_LOG_CHARS)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  child.on('error', error => keep(Buffer.from(String(error))))
  return () => tail
}

const hasEnded = (child: ChildProcess) =>
  child.exitCode !== null || child.signalCode !== null || child.pid === undefined

async function waitUntilReady(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS
  while (performance.now() < deadline) {
    if (hasEnded(child)) throw new Error(`It ended with ${child.exitCode ?? child.signalCode}.`)
    const ready = await fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
      reply => reply.ok,
      () => false,
    )
    if (ready) return
    await wait(50)
  }
  throw new Error(`No 2xx from ${url} within ${READY_WITHIN_MS} ms.`)
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const impatient = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
  await ended
  clearTimeout(impatient)
}
