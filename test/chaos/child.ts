import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { killAtExit } from './at-exit.ts'

const READY_WITHIN_MS = 30_000
const ANSWER_WITHIN_MS = 60_000
const KEPT_CHARS = 20_000

/** A process of ours that takes orders over its channel and ends when the channel does. */
export interface Child<Order, Reply> {
  readonly pid: number
  ask(order: Order): Promise<Reply>
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>
  output(): string
}

/** Runs a file of this folder; resolves when it says that it is ready. */
export async function startChild<Order, Reply>(file: string, args: readonly string[]): Promise<Child<Order, Reply>> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  killAtExit(child)
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-KEPT_CHARS)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  const waiting = new Map<number, (reply: Reply) => void>()
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.on('error', error => keep(Buffer.from(String(error))))
  child.on('message', ({ id, reply }: { id: number; reply: Reply }) => {
    waiting.get(id)?.(reply)
    waiting.delete(id)
  })

  async function answer(id: number, withinMs: number, what: string): Promise<Reply> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Error(`${file}: no answer to ${what}:\n${output}`)), withinMs)
    const gone = ended.then(() => Promise.reject(new Error(`${file} ended before it answered ${what}:\n${output}`)))
    gone.catch(() => {})
    try {
      return await Promise.race([new Promise<Reply>(resolve => waiting.set(id, resolve)), late.promise, gone])
    } finally {
      clearTimeout(timer)
    }
  }

  let lastId = 0
  await answer(0, READY_WITHIN_MS, 'its start')
  return {
    pid: child.pid ?? -1,
    output: () => output,
    ask(order) {
      lastId += 1
      const reply = answer(lastId, ANSWER_WITHIN_MS, JSON.stringify(order))
      child.send({ id: lastId, order })
      return reply
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
