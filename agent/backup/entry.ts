import type { BackupReport, Entry } from '../../shared/wire.ts'
import type { StoredReport } from './inbox.ts'

/** Level and words of a report's log entry; one that runs has none. */
const WORDS: Record<BackupReport['state'], readonly [Entry['level'], string] | undefined> = {
  ok: ['info', 'Backup completed'],
  unchanged: ['info', 'Backup unchanged'],
  late: ['warn', 'Backup late'],
  failed: ['error', 'Backup failed'],
  unknown: ['warn', 'Backup state unknown'],
  running: undefined,
}

export function reportEntry({ atMs, report, file }: StoredReport): Entry | undefined {
  const words = WORDS[report.state]
  if (!words) return undefined
  const [level, message] = words
  const fields = {
    backup: report.name,
    source: report.source,
    size_bytes: report.sizeBytes,
    duration_ms: report.durationMs,
    file,
    reason: report.reason,
  }
  return { atMs: report.completedAtMs ?? atMs, level, message, fields: textFields(fields) }
}

function textFields(fields: Readonly<Record<string, string | number | null | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value == null ? [] : [[name, String(value).slice(0, 1024)]])),
  )
}
