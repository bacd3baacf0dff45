import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { createPrivateFile, writePrivateFile } from '../private-file.ts'
import { systemCode, UserError } from '../user-error.ts'
import { identityOf, isAlive } from './process-identity.ts'

const processSchema = z.object({ name: z.string(), pid: z.int().positive(), identity: z.string().nullable() })
const schema = z.object({ owner: processSchema, children: z.array(processSchema) })
type RecordedProcess = z.output<typeof processSchema>

/** That this process, and no other, uses a data directory. */
export interface Claim {
  /** Notes a child, so that the next start can end it should this process be killed before it could. */
  noteChild(name: string, pid: number): Promise<void>
  release(): Promise<void>
}

const GRACE_MS = 5_000
const POLL_MS = 50

/**
 * Takes a data directory. workerd does not lock its state, and two of them would corrupt each other's: so a directory
 * in use is refused, and what an earlier owner left running when it was killed is ended first.
 */
export async function claimDirectory(directory: string, say: (line: string) => void): Promise<Claim> {
  const path = join(directory, 'running.json')
  const owner = await recorded('onec-relay', process.pid)
  const children = new Map<string, RecordedProcess>()
  const text = () => `${JSON.stringify({ owner, children: [...children.values()] }, null, 2)}\n`
  if (!(await create(path, text(), directory))) {
    await endLeftovers(path, directory, say)
    await writePrivateFile(path, text())
  }
  return {
    async noteChild(name, pid) {
      children.set(name, await recorded(name, pid))
      await writePrivateFile(path, text())
    },
    release: () => rm(path, { force: true }),
  }
}

/** False when there is such a file already. */
async function create(path: string, text: string, directory: string): Promise<boolean> {
  try {
    await createPrivateFile(path, text)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw new UserError(`The data directory ${directory} cannot be written: ${systemCode(error) ?? String(error)}.`, {
      next: 'Check who owns it and whether its disk is full or read-only.',
    })
  }
}

async function endLeftovers(path: string, directory: string, say: (line: string) => void): Promise<void> {
  const previous = schema.safeParse(await readJson(path))
  // Half a file is what a crash leaves; its owner is gone.
  if (!previous.success) return
  const { owner, children } = previous.data
  if (await isAlive(owner))
    throw new UserError(`The data directory ${directory} is in use by process ${owner.pid}.`, {
      next: `End that process first, or use another directory. If it is no onec-relay, remove ${path}.`,
    })
  for (const child of children) if (await isAlive(child)) await endLeftover(child, path, say)
}

async function endLeftover(child: RecordedProcess, path: string, say: (line: string) => void): Promise<void> {
  if (child.identity === null)
    throw new UserError(`Process ${child.pid} (${child.name}) seems to run on from an earlier start that was killed.`, {
      next: `End it. If it is something else, remove ${path}.`,
    })
  say(`Ending process ${child.pid} (${child.name}), left over from an earlier start that was killed.`)
  process.kill(child.pid, 'SIGTERM')
  for (let waitedMs = 0; waitedMs < 2 * GRACE_MS; waitedMs += POLL_MS) {
    await sleep(POLL_MS)
    if (!(await isAlive(child))) return
    if (waitedMs === GRACE_MS) process.kill(child.pid, 'SIGKILL')
  }
  throw new UserError(`Process ${child.pid} (${child.name}) of an earlier start does not end.`, {
    next: `kill -9 ${child.pid}`,
  })
}

async function recorded(name: string, pid: number): Promise<RecordedProcess> {
  return { name, pid, identity: await identityOf(pid) }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
