import { open } from 'node:fs/promises'
import type { HostConfig } from '../../shared/host-config.ts'
import { systemCode } from '../error.ts'
import type { Check } from './check.ts'
import { type Finding, finding } from './finding.ts'

/** Whether each configured log file can be opened; one path with wildcards is the agent's own to resolve. */
export function logFilesCheck(config: HostConfig): Check {
  const paths = (config.logFiles ?? []).map(({ path }) => path).filter(path => !/[*?]/.test(path))
  return {
    name: 'log files',
    deadlineMs: 10_000,
    run: async () => await Promise.all(paths.map(look)),
  }
}

async function look(path: string): Promise<Finding> {
  try {
    const file = await open(path, 'r')
    const { size: sizeBytes } = await file.stat().finally(() => file.close())
    return finding('log_file.readable', { path, sizeBytes })
  } catch (error) {
    const reason = systemCode(error)
    if (reason === undefined) throw error
    return reason === 'ENOENT'
      ? finding('log_file.missing', { path })
      : finding('log_file.unreadable', { path, reason })
  }
}
