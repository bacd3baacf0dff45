import type { Sql } from './sql.ts'

/** Newest entries kept; older ones are dropped. About three months of a busy team. */
export const MAX_AUDIT_ENTRIES = 10_000
const MAX_SUBJECT_CHARS = 300

export interface AuditEntry {
  /** Operator id, or what else acted (an enrolment code by its hint). */
  readonly by: string
  /** `noun.verb`, for example `destination.edit`. */
  readonly action: string
  readonly tenantId: string | null
  readonly subject: string
}

export function writeAudit(sql: Sql, entry: AuditEntry, now: number): void {
  const { by, action, tenantId } = entry
  const subject = entry.subject.slice(0, MAX_SUBJECT_CHARS)
  const [row] = sql.rows<{ id: number }>(
    'INSERT INTO audit (at_ms, by, action, tenant_id, subject) VALUES (?, ?, ?, ?, ?) RETURNING id',
    ...[now, by, action, tenantId, subject],
  )
  // Ids are without gaps: only the oldest are ever deleted.
  if (row) sql.rows('DELETE FROM audit WHERE id <= ?', row.id - MAX_AUDIT_ENTRIES)
}
