import * as z from 'zod'

/** Labels that carry identity. The relay sets them from the host's token; nobody can send them. */
export const RESERVED_LABELS: ReadonlySet<string> = new Set(['tenant', 'instance', 'host', 'job', 'source', 'level'])

const labelName = z
  .string()
  .regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/, 'a label name has letters, digits and _ only, and starts with no digit')
  .refine(name => !name.startsWith('__') && !RESERVED_LABELS.has(name), 'this label is set by the relay')

const printable = /^[^\p{Cc}\p{Cs}]+$/u

/** A name that a person gave: any script, no control characters, 1–128 characters. */
export const displayName = z.string().trim().min(1).max(128).regex(printable, 'control characters are not allowed')

const filePath = z.string().min(1).max(1024).regex(printable)

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day has hours and minutes, for example "23:00"')

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/** When a good backup is expected, in the local time of the host. */
export const backupWindow = z.object({
  /** What was completed before is an earlier window's. */
  from: timeOfDay,
  /** A good one is there by then: on the next day when this is not after `from`. */
  due: timeOfDay,
  /** Days on which the window begins; absent means every day. */
  days: z.array(z.enum(WEEKDAYS)).min(1).max(7).optional(),
})

export const BACKUP_FORMATS = ['dt', '1cd', 'zip', '7z', 'gz', 'pg_dump', 'mssql'] as const

/** An SQL Server whose own history tells of the backups. */
export const sqlServerConfig = z.object({
  /** As `sqlcmd -S` takes it: `.` is this machine's own. */
  server: z
    .string()
    .max(255)
    .regex(/^[^\p{Cc}\p{Cs}\s-][^\p{Cc}\p{Cs}\s]*$/u, 'a server is HOST, HOST\\INSTANCE or HOST,PORT, without blanks')
    .optional(),
  database: displayName,
})

export const backupConfig = z.object({
  name: displayName,
  /**
   * Directory that holds the backup files; the first one also names the volume of `onec_disk_*`. With a `pattern` it is
   * watched.
   */
  directory: filePath.optional(),
  /** Which files in it are backups, for example `*.dt`. */
  pattern: z.string().min(1).max(256).regex(printable).optional(),
  /** File in which a script says how its backup ended. */
  statusFile: filePath.optional(),
  mssql: sqlServerConfig.optional(),
  /** A good backup is never older than this, milliseconds. What makes it overdue. */
  maxAgeMs: z
    .int()
    .min(60_000)
    .max(366 * 86_400_000)
    .optional(),
  /** When it is made; with `maxAgeMs` too, the earlier of both is the deadline. */
  schedule: z.array(backupWindow).min(1).max(8).optional(),
  /** Anything smaller is not a backup, bytes. */
  minSizeBytes: z.int().min(1).optional(),
  /** Anything smaller than this share of the median of the last good ones is not; absent means 50, 0 switches it off. */
  minPercentOfMedian: z.int().min(0).max(100).optional(),
  /** What the files are, where their names do not say it. */
  format: z.enum(BACKUP_FORMATS).optional(),
  /** Nobody works in the base while it is copied: what makes a copied `.1CD` a backup at all. */
  offlineCopy: z.boolean().optional(),
  /** Read each new file whole, slowly, and find what is cut off or damaged. */
  integrity: z.boolean().optional(),
  /** Milliseconds between two looks; a file that did not change between two is complete. Absent means a minute. */
  pollMs: z.int().min(1_000).max(3_600_000).optional(),
})
export type BackupConfig = z.output<typeof backupConfig>

/** How the bytes of a log file are read, as `encoding` names it; absent means found out per file. */
export const LOG_ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'cp866', 'cp1251'] as const

/** Lines a minute that a log file may ship when its configuration does not say. */
export const DEFAULT_LOG_LINES_PER_MINUTE = 300

export const logFileConfig = z.object({
  /** An absolute path. `*` and `?` stand for part of a name, `**` for folders of any depth: `D:\\logs\\**\\*.log`. */
  path: z.string().min(1).max(1024).regex(printable),
  encoding: z.enum(LOG_ENCODINGS).optional(),
  /** `1c-tech`: the technological log of 1C, whose events span lines; absent or `auto`: seen by name and content. */
  format: z.enum(['auto', 'lines', '1c-tech']).optional(),
  /** What is below is not shipped. */
  level: z.enum(['debug', 'info', 'warn', 'error']).optional(),
  /** Of each file; what is over is left out and counted. */
  maxLinesPerMinute: z.int().min(1).max(6_000).optional(),
  /** Where files begin that are there when they are first followed: `end` when absent. */
  from: z.enum(['end', 'start']).optional(),
})
export type LogFileConfig = z.output<typeof logFileConfig>

/**
 * What an operator may set for a host from the relay, and a host's own file may set where the relay does not: never a
 * command, never a credential. Merged by {@link mergeHostConfig}; every field is optional, absent means "as before".
 */
export const hostConfig = z.object({
  /** Milliseconds between snapshots. */
  intervalMs: z.int().min(1_000).max(3_600_000).optional(),
  /** Static labels on every series of the host. */
  labels: z
    .record(labelName, z.string().min(1).max(256).regex(printable))
    .refine(labels => Object.keys(labels).length <= 10, 'at most 10 labels')
    .optional(),
  backups: z
    .array(backupConfig)
    .max(50)
    .refine(backups => new Set(backups.map(({ name }) => name)).size === backups.length, 'two backups have one name')
    .optional(),
  /** Mount points or drive letters that get `onec_volume_*`; absent means every fixed volume. */
  volumes: z.array(z.string().min(1).max(256).regex(printable)).max(32).optional(),
  logFiles: z.array(logFileConfig).max(20).optional(),
})

export type HostConfig = z.output<typeof hostConfig>

/** What applies on a host: the first of `layers` that has a field wins it (relay, then the local file, then defaults). */
export function mergeHostConfig(...layers: readonly HostConfig[]): HostConfig {
  return Object.assign({}, ...layers.toReversed())
}

export const DEFAULT_INTERVAL_MS = 60_000
