import * as z from 'zod'
import { backupReport } from '../shared/wire.ts'
import { readRemoved, type StatePaths } from './config.ts'
import { systemCode } from './error.ts'
import { readTextIfThere, writeFileAtomic } from './file.ts'
import { isRunning, type ProcessIdentity } from './identity.ts'
import { decodeJson } from './json.ts'
import { readOwner } from './lock.ts'
import { createTrouble, type Log } from './log.ts'
import { logFileView } from './logs/view.ts'

const epochMs = z.number()

/** What a running agent says of itself, for `status` in another process. */
export const agentStatus = z.object({
  version: z.string(),
  startedAtMs: epochMs,
  hostId: z.string(),
  /** The relay's URL that the next post goes to. */
  route: z.string(),
  intervalMs: z.number(),
  lastSnapshotAtMs: epochMs.nullable(),
  lastDeliveredAtMs: epochMs.nullable(),
  /** What keeps it from delivering; null when nothing does. */
  problem: z.object({ sinceMs: epochMs, reason: z.string() }).nullable(),
  /** Families that could not be read for the newest snapshot. */
  unread: z.array(z.object({ family: z.string(), reason: z.string() })),
  spool: z.object({
    pendingBatches: z.number(),
    oldestAtMs: epochMs.nullable(),
    droppedSnapshots: z.number(),
    asideBatches: z.number(),
  }),
  /** Absent from an agent that follows none yet. */
  logFiles: z.array(logFileView).optional(),
  /** The newest report of each backup; absent from an agent of an older release. */
  backups: z.array(backupReport).optional(),
})
export type AgentStatus = z.output<typeof agentStatus>

/** Keeps the status file up to date. One that cannot be written is said, and stops nothing. */
export function createStatusWriter(file: string, status: () => AgentStatus, log: Log): { save(): void } {
  const trouble = createTrouble(log)
  return {
    save() {
      try {
        writeFileAtomic(file, JSON.stringify(status()))
        trouble.clear('The status file is written again')
      } catch (error) {
        const code = systemCode(error)
        if (code === undefined) throw error
        trouble.raise('warn', `The status file cannot be written (${code}); everything else goes on`)
      }
    },
  }
}

export function readStatus(file: string): AgentStatus | undefined {
  return agentStatus.safeParse(decodeJson(readTextIfThere(file))).data
}

export type Condition = 'running' | 'stopped' | 'not enrolled' | 'removed'

export function conditionOf(facts: {
  enrolled: boolean
  removed: boolean
  owner: ProcessIdentity | undefined
}): Condition {
  if (facts.removed) return 'removed'
  if (!facts.enrolled) return 'not enrolled'
  return facts.owner && isRunning(facts.owner) ? 'running' : 'stopped'
}

/** The same from the files of the state directory. */
export function readCondition(paths: StatePaths): Condition {
  return conditionOf({
    enrolled: readTextIfThere(paths.config) !== undefined,
    removed: readRemoved(paths) !== undefined,
    owner: readOwner(paths.lock),
  })
}
