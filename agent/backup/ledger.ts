import path from 'node:path'
import * as z from 'zod'
import type { HostConfig } from '../../shared/host-config.ts'
import { type BackupReport, type Entry, LIMITS } from '../../shared/wire.ts'
import { makePrivateDirectory, readTextIfThere, writeFileAtomic } from '../file.ts'
import { isRunning } from '../identity.ts'
import { decodeJson } from '../json.ts'
import { reportEntry } from './entry.ts'
import { listReports, readReport, removeReport, type StoredReport, storedReport } from './inbox.ts'

/** The newest report of one backup. */
const known = z.object({ stored: storedReport, lastGoodAtMs: z.int().nullable() })
type Known = z.output<typeof known>
const ledgerFile = z.object({ backups: z.array(known) })

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
  /** Absent when there is none. The first call tells of every backup. Changes nothing until `commit`. */
  news(nowMs: number, config: HostConfig): BackupNews | undefined
  /** The item with these news is on disk. */
  commit(news: BackupNews): void
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
  let backups = load(file)
  let next = backups
  let toldAll = false

  function save(to: ReadonlyMap<string, Known>, reports: readonly string[]): void {
    writeFileAtomic(file, JSON.stringify({ backups: [...to.values()] }))
    backups = to
    for (const name of reports) removeReport(inbox, name)
  }

  const read = (names: readonly string[]): StoredReport[] => names.flatMap(name => readReport(inbox, name) ?? [])

  const left = listReports(inbox).filter(name => spooled.includes(name))
  if (left.length > 0) save(applyReports(backups, read(left)), left)

  return {
    news(nowMs, config) {
      const reports = listReports(inbox).slice(0, MAX_TAKEN)
      const arrived = read(reports)
      const told = applyReports(backups, arrived)
      const ended = [...told.values()].flatMap(({ stored }) =>
        stored.process && stored.report.state === 'running' && !runs(stored.process) ? [abandoned(stored, nowMs)] : [],
      )
      next = applyReports(told, ended)
      const fresh = [...arrived, ...ended]
      if (fresh.length === 0 && reports.length === 0 && (toldAll || next.size === 0)) return undefined
      const rest = [...next.values()].map(({ stored }) => stored).filter(stored => !fresh.includes(stored))
      const all = [...fresh, ...rest].slice(0, LIMITS.backups)
      return {
        backups: all.map(({ report }) => ({ ...report, dueAtMs: dueAtMs(next.get(report.name), config) })),
        entries: fresh.flatMap(stored => reportEntry(stored) ?? []),
        reports,
      }
    },
    commit({ reports }) {
      toldAll = true
      save(next, reports)
    },
  }
}

export const inboxOf = (directory: string): string => path.join(directory, 'inbox')

function load(file: string): ReadonlyMap<string, Known> {
  const parsed = ledgerFile.safeParse(decodeJson(readTextIfThere(file)))
  return new Map(parsed.data?.backups.map(each => [each.stored.report.name, each]))
}

/** The newest report of each name, and when it last was good; the names heard of last are kept. */
export function applyReports(
  before: ReadonlyMap<string, Known>,
  arrived: readonly StoredReport[],
): ReadonlyMap<string, Known> {
  const after = new Map(before)
  for (const stored of arrived) {
    const { name, state, completedAtMs } = stored.report
    const good = state === 'ok' || state === 'unchanged'
    const lastGoodAtMs = good ? (completedAtMs ?? stored.atMs) : (after.get(name)?.lastGoodAtMs ?? null)
    after.delete(name)
    after.set(name, { stored, lastGoodAtMs })
  }
  return new Map([...after].slice(-LIMITS.backups))
}

/** Its wrapper was killed, or the machine went down: nobody will say how it ended, and it is not good. */
function abandoned({ report, file }: StoredReport, nowMs: number): StoredReport {
  const reason = 'backup run ended without a report: it was killed, or the machine went down'
  const ended = { ...report, state: 'failed' as const, reason, completedAtMs: nowMs, sizeBytes: null, durationMs: null }
  return { atMs: nowMs, report: ended, ...(file !== undefined && { file }) }
}

function dueAtMs(backup: Known | undefined, config: HostConfig): number | null {
  if (!backup) return null
  const { lastGoodAtMs, stored } = backup
  const maxAgeMs = config.backups?.find(each => each.name === stored.report.name)?.maxAgeMs
  return lastGoodAtMs === null || maxAgeMs === undefined ? stored.report.dueAtMs : lastGoodAtMs + maxAgeMs
}
