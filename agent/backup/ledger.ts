import path from 'node:path'
import * as z from 'zod'
import type { HostConfig } from '../../shared/host-config.ts'
import { type BackupReport, type Entry, LIMITS } from '../../shared/wire.ts'
import { makePrivateDirectory, readTextIfThere, writeFileAtomic } from '../file.ts'
import { isRunning } from '../identity.ts'
import { decodeJson } from '../json.ts'
import { isForgotten } from './due.ts'
import { reportEntry } from './entry.ts'
import { listReports, readReport, removeReport, type StoredReport } from './inbox.ts'
import { applyReports, backupOf, dueOf, isWatched, type Known, known, statement } from './known.ts'
import { lateReason, NONE_YET, sourceOf } from './wording.ts'

const ledgerFile = z.object({
  backups: z.array(known),
  /** Since when a backup with a deadline is expected; it may never have come. */
  expected: z.record(z.string(), z.int()).optional(),
})

/** Report files that one snapshot takes along; the others wait for the next. */
const MAX_TAKEN = 20

/** What the next item says of backups. */
export interface BackupNews {
  readonly backups: readonly BackupReport[]
  readonly entries: readonly Entry[]
  /** The report files that it was made from. */
  readonly reports: readonly string[]
}

/** What the agent knows of this host's backups, on disk. */
export interface Ledger {
  /**
   * Absent when there is none. The first call tells of every backup. Changes nothing until `commit`, but remembers
   * since when a backup with a deadline is expected.
   */
  news(nowMs: number, config: HostConfig): BackupNews | undefined
  /** The item with these news is on disk. */
  commit(news: BackupNews): void
  /** What is known of a backup, reports that wait included. */
  recall(name: string): Recollection
}

export interface Recollection {
  readonly known: Known | undefined
  /** Absent for one without a deadline. */
  readonly expectedSinceMs: number | undefined
}

export interface LedgerOptions {
  readonly directory: string
  /** Report files that the spool holds already: a crash came between it and `commit`. */
  readonly spooled: readonly string[]
  readonly isRunning?: typeof isRunning
}

export function openLedger({ directory, spooled, isRunning: runs = isRunning }: LedgerOptions): Ledger {
  const inbox = inboxOf(directory)
  const file = path.join(directory, 'state.json')
  makePrivateDirectory(directory)
  const loaded = load(file)
  let { backups, expected } = loaded
  let next = backups
  let toldAll = false
  /** Deadlines as last told: a changed schedule moves them. */
  let toldDue: ReadonlyMap<string, number | null> = new Map()

  function save(to: ReadonlyMap<string, Known>, reports: readonly string[]): void {
    writeFileAtomic(file, JSON.stringify({ backups: [...to.values()], expected }))
    backups = to
    for (const name of reports) removeReport(inbox, name)
  }

  const read = (names: readonly string[]): StoredReport[] => names.flatMap(name => readReport(inbox, name) ?? [])

  function expect(config: HostConfig, nowMs: number): void {
    const now = expectedNow(expected, config, nowMs)
    if (JSON.stringify(now) === JSON.stringify(expected)) return
    expected = now
    save(backups, [])
  }

  const left = listReports(inbox).filter(name => spooled.includes(name))
  if (left.length > 0) save(applyReports(backups, read(left)), left)

  return {
    news(nowMs, config) {
      expect(config, nowMs)
      const reports = listReports(inbox).slice(0, MAX_TAKEN)
      const arrived = read(reports)
      const told = applyReports(backups, arrived)
      const ended = [...told.values()].flatMap(({ stored }) =>
        stored.process && stored.report.state === 'running' && !runs(stored.process) ? [abandoned(stored, nowMs)] : [],
      )
      const late = missing(applyReports(told, ended), config, expected, nowMs)
      const fresh = [...arrived, ...ended, ...late]
      next = applyReports(told, [...ended, ...late])
      const due = (name: string) => dueOf(next.get(name), backupOf(config, name), expected[name])
      const moved = [...next.keys()].some(name => toldDue.has(name) && toldDue.get(name) !== due(name))
      if (fresh.length === 0 && reports.length === 0 && !moved && (toldAll || next.size === 0)) return undefined
      const rest = [...next.values()].map(({ stored }) => stored).filter(stored => !fresh.includes(stored))
      const all = [...fresh, ...rest].slice(0, LIMITS.backups)
      return {
        backups: all.map(({ report }) => ({ ...report, dueAtMs: due(report.name) })),
        entries: entriesOf(backups, fresh),
        reports,
      }
    },
    commit({ backups: told, reports }) {
      toldAll = true
      toldDue = new Map(told.map(({ name, dueAtMs }) => [name, dueAtMs]))
      save(next, reports)
    },
    recall(name) {
      const waiting = applyReports(backups, read(listReports(inbox)))
      return { known: waiting.get(name), expectedSinceMs: expected[name] }
    },
  }
}

/** What the ledger in a directory has of one backup, for programs beside the agent. */
export const readKnown = (directory: string, name: string): Known | undefined =>
  load(path.join(directory, 'state.json')).backups.get(name)

/** The same with what is still on its way, as `recall` has it. */
export function readRecollection(directory: string, name: string): Recollection {
  const { backups, expected } = load(path.join(directory, 'state.json'))
  const inbox = inboxOf(directory)
  const waiting = listReports(inbox).flatMap(file => readReport(inbox, file) ?? [])
  return { known: applyReports(backups, waiting).get(name), expectedSinceMs: expected[name] }
}

export const inboxOf = (directory: string): string => path.join(directory, 'inbox')

function load(file: string): { backups: ReadonlyMap<string, Known>; expected: Readonly<Record<string, number>> } {
  const parsed = ledgerFile.safeParse(decodeJson(readTextIfThere(file))).data
  const backups = new Map(parsed?.backups.map(each => [each.stored.report.name, each]))
  return { backups, expected: parsed?.expected ?? {} }
}

/** The same for those that stay, now for those that are new; whoever left the configuration is forgotten. */
function expectedNow(
  before: Readonly<Record<string, number>>,
  config: HostConfig,
  nowMs: number,
): Readonly<Record<string, number>> {
  const expected = (config.backups ?? []).filter(each => each.maxAgeMs !== undefined || each.schedule !== undefined)
  return Object.fromEntries(expected.map(({ name }) => [name, Math.min(before[name] ?? nowMs, nowMs)]))
}

/**
 * What nobody reports: a backup that did not come. Those with a watcher are left to it, which sees whether one came
 * while the agent was away. One that has never come is told of at once, as its deadline is what a relay goes by while
 * this host is down.
 */
function missing(
  told: ReadonlyMap<string, Known>,
  config: HostConfig,
  expected: Readonly<Record<string, number>>,
  nowMs: number,
): StoredReport[] {
  return (config.backups ?? []).flatMap(backup => {
    const { name } = backup
    const before = told.get(name)
    const due = dueOf(before, backup, expected[name])
    if (expected[name] === undefined || due === null) return []
    const say = (state: 'late' | 'unknown', reason: string) => {
      const source = before?.stored.report.source ?? sourceOf(backup)
      return [{ atMs: nowMs, report: statement(name, state, source, reason) }]
    }
    if (!before) return say('unknown', NONE_YET)
    const { atMs, process, report } = before.stored
    const { state, startedAtMs } = report
    // The wrapper's process tells whether it runs; what a script said to run may have been forgotten.
    const isForgottenRun = state === 'running' && !process && isForgotten(startedAtMs ?? atMs, due, nowMs)
    const isQuiet = state === 'ok' || state === 'unchanged' || state === 'unknown' || isForgottenRun
    return isQuiet && nowMs >= due && !isWatched(backup) ? say('late', lateReason(due)) : []
  })
}

/**
 * One log entry for each report, but none for the same end told again, nor for the good file that is a directory's newest
 * again because the one after it was taken away.
 */
function entriesOf(before: ReadonlyMap<string, Known>, fresh: readonly StoredReport[]): Entry[] {
  return fresh.flatMap(stored => {
    const { name, state, source, completedAtMs, reason } = stored.report
    const completed = before.get(name)?.completed
    const isKnown = completedAtMs !== null && completed !== undefined
    const isRepeated = isKnown && completed.atMs === completedAtMs && completed.state === state
    const isOlder = isKnown && source === 'directory' && completedAtMs < completed.atMs
    return isRepeated || isOlder || reason === NONE_YET ? [] : (reportEntry(stored) ?? [])
  })
}

/** Its wrapper was killed, or the machine went down: nobody will say how it ended, and it is not good. */
function abandoned({ report, file }: StoredReport, nowMs: number): StoredReport {
  const reason = 'backup run ended without a report: it was killed, or the machine went down'
  const ended = { ...report, state: 'failed' as const, reason, completedAtMs: nowMs, sizeBytes: null, durationMs: null }
  return { atMs: nowMs, report: ended, ...(file !== undefined && { file }) }
}
