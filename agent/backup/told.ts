import type { BackupReport } from '../../shared/wire.ts'
import type { Ledger } from './ledger.ts'

/** A ledger that also remembers what it last told of each backup, for `status` and `doctor`. */
export interface TellingLedger extends Ledger {
  readonly told: readonly BackupReport[]
}

export function rememberTold(ledger: Ledger): TellingLedger {
  let told: ReadonlyMap<string, BackupReport> = new Map()
  return {
    ...ledger,
    commit(news) {
      ledger.commit(news)
      // Of several reports of one backup the last is the newest; those that did not change are told once, at the start.
      told = new Map([...told, ...latest(news.backups)])
    },
    get told() {
      return [...told.values()]
    },
  }
}

/** Fresh reports come first and in order, then what was known before. */
function latest(backups: readonly BackupReport[]): Map<string, BackupReport> {
  return new Map(backups.map(report => [report.name, report]))
}
