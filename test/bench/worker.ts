import { fork } from 'node:child_process'

/** A process of the bench beside this one, so that its CPU is not that of what is measured. */
export interface Worker<Question, Answer> {
  /** One question at a time; fails with the worker's own words when it fails. */
  ask(question: Question): Promise<Answer>
  stop(): Promise<void>
}

type Reply<Answer> = { readonly ok: true; readonly answer: Answer } | { readonly ok: false; readonly reason: string }

export function startWorker<Question extends object, Answer>(file: URL): Worker<Question, Answer> {
  const child = fork(file, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const ended = new Promise<string>(resolve => child.once('exit', (code, signal) => resolve(String(signal ?? code))))
  return {
    async ask(question) {
      const replied = new Promise<Reply<Answer>>(resolve => child.once('message', resolve as (reply: unknown) => void))
      child.send(question)
      const gone = ended.then((how): Reply<Answer> => ({ ok: false, reason: `it ended with ${how}` }))
      const reply = await Promise.race([replied, gone])
      if (!reply.ok) throw new Error(`${file.pathname}: ${reply.reason}`)
      return reply.answer
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** The worker's side: answers each question with what `work` makes of it. */
export function serveWorker<Question, Answer>(work: (question: Question) => Promise<Answer> | Answer): void {
  const send = (reply: Reply<Answer>) => process.send?.(reply)
  process.on('message', async question => {
    try {
      send({ ok: true, answer: await work(question as Question) })
    } catch (error) {
      send({ ok: false, reason: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
  process.once('disconnect', () => process.exit(0))
}
