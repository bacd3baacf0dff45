import path from 'node:path'
import type { BackupConfig } from '../../shared/host-config.ts'
import { describeError, systemCode } from '../error.ts'
import type { Finding } from './finding.ts'
import { HEAD_BYTES, readHead } from './format.ts'
import { dueOf } from './known.ts'
import { Unreachable } from './lane.ts'
import type { Recollection } from './ledger.ts'
import type { WatchMemory } from './memory.ts'
import { readFileBy } from './reader.ts'
import { createScanner, type Scanner } from './scan.ts'
import {
  contentOf,
  identityOf,
  judgeContent,
  judgeIntegrity,
  judgeTimes,
  LOCKED,
  pickNewest,
  type SeenFile,
  type Verdict,
} from './verdict.ts'
import type { Look, LookDeps, Looked } from './watch.ts'

export function directoryLook(backup: BackupConfig, directory: string, pattern: string, deps: LookDeps): Look {
  const scanner = createScanner(directory, pattern, deps.lane, deps.clock)
  return async (memory, recollection) => {
    try {
      await deps.shares.connect(directory)
      return await look(scanner, { backup, memory, recollection, deps })
    } catch (error) {
      if (isPassing(error, directory)) return { memory }
      deps.shares.lost(directory)
      return { finding: { ...placeProblem(error, directory), key: '' }, memory }
    }
  }
}

interface LookContext {
  readonly backup: BackupConfig
  readonly memory: WatchMemory
  readonly recollection: Recollection
  readonly deps: LookDeps
}

async function look(scanner: Scanner, context: LookContext): Promise<Looked> {
  const { backup, memory, recollection, deps } = context
  const { files, isComplete } = await scanner.scan()
  if (!isComplete) return { memory }
  const nowMs = deps.clock.nowMs()
  const file = pickNewest(files, nowMs, recollection.known?.completed?.atMs, backup)
  if (!file) return { ...withFinding(nothingThere(context, nowMs)), memory: { ...memory, file: undefined } }
  const times = judgeTimes(file, memory.file, backup, nowMs)
  const looked = { ...memory, file }
  if (times === 'wait') return { memory: looked }
  if (times !== 'read') return { finding: findingOf(times, file), memory: looked }
  return await judge(file, looked, context)
}

/** What its size, its first bytes and, where it is asked for, all of it say. */
async function judge(
  file: SeenFile,
  before: WatchMemory,
  { backup, recollection, deps }: LookContext,
): Promise<Looked> {
  const id = identityOf(file)
  const head = before.head?.id === id ? before.head : await lookInside(file, id, deps)
  if (!head) return { finding: findingOf(LOCKED, file), memory: before }
  const memory = { ...before, head }
  const problem = judgeContent(file, head, backup, recollection.known?.goodSizes ?? [])
  if (problem) return { finding: findingOf(problem, file), memory }
  return backup.integrity ? judgeWhole(file, id, memory, deps) : { finding: findingOf({ code: 'good' }, file), memory }
}

function judgeWhole(file: SeenFile, id: string, memory: WatchMemory, { integrity }: LookDeps): Looked {
  const result = memory.checked?.id === id ? resultOf(memory.checked) : integrity.ask(file)
  if (result === 'pending') return { memory }
  if (result.code === 'unreadable') return { finding: findingOf(result, file), memory }
  // The same file under another name is no new one.
  const isLastGood = memory.good !== undefined && contentOf(memory.good.id) === contentOf(id)
  const verdict = judgeIntegrity(result, isLastGood ? undefined : memory.good?.digest)
  const checked = { id, ...result }
  const good = verdict.code === 'good' && result.code === 'whole' ? { id, digest: result.digest } : memory.good
  return { finding: findingOf(verdict, file), memory: { ...memory, checked, good } }
}

const resultOf = ({ code, words = '', digest = '' }: NonNullable<WatchMemory['checked']>) =>
  code === 'whole' ? { code, digest } : { code, words }

/** The first bytes, once for each content; absent while a program writes the file. */
async function lookInside(file: SeenFile, id: string, { lane, findWriter }: LookDeps): Promise<WatchMemory['head']> {
  const writer = await lane.run(file.path, () => findWriter(file.path))
  if (writer === 'open') return undefined
  const head = await readFileBy(lane, file, reader => reader.read(0, Math.min(HEAD_BYTES, file.sizeBytes)))
  return { id, ...readHead(head) }
}

function findingOf({ code, words }: Verdict, file: SeenFile): Finding {
  const run = { completedAtMs: file.modifiedAtMs, sizeBytes: file.sizeBytes }
  // While it grows, each look sees another size.
  const key = code === 'growing' || code === 'locked' ? file.path : identityOf(file)
  return { code, words, key, file: file.path, run }
}

const withFinding = (finding: Finding | undefined) => (finding ? { finding } : {})

/** No file at all: not late before its time, but strange where there were some. */
function nothingThere({ backup, recollection }: LookContext, nowMs: number): Finding | undefined {
  const { known, expectedSinceMs } = recollection
  const due = dueOf(known, backup, expectedSinceMs)
  const words = `no file matches ${backup.pattern} in ${backup.directory}`
  if (due !== null && nowMs >= due) return { code: 'late', words, key: String(due) }
  const had = known?.stored.report.source === 'directory' && known.completed !== undefined
  return had ? { code: 'gone', words: `${words} any more`, key: '' } : undefined
}

/** A file was taken away between two calls: the next look sees what is there. */
const isPassing = (error: unknown, directory: string): boolean =>
  systemCode(error) === 'ENOENT' && path.relative(directory, pathOf(error) ?? directory) !== ''

const pathOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).path

/** Why a directory or a file could not be looked at: the one in it that is at fault, where the system names it. */
export function placeProblem(error: unknown, configured: string): Verdict {
  const code = systemCode(error)
  const place = pathOf(error) ?? configured
  if (error instanceof Unreachable) return { code: 'unreachable', words: error.message }
  if (code === 'EBUSY') return { code: 'locked', words: 'a program holds the file' }
  if (code === 'ENOENT' || code === 'ENOTDIR') return { code: 'unreachable', words: `${place} is not there` }
  if (code === 'EACCES' || code === 'EPERM')
    return { code: 'unreadable', words: `the agent may not read ${place} (${code})` }
  return { code: 'unreachable', words: `${place} cannot be read (${describeError(error)})` }
}
