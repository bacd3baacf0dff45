import { readFile } from 'node:fs/promises'
import { systemCode } from '../user-error.ts'

/**
 * What tells a process from a later one with the same pid: the boot and the clock tick at which it started. Null where
 * the system does not say (no `/proc`), or when there is no such process.
 */
export async function identityOf(pid: number): Promise<string | null> {
  try {
    const [bootId, stat] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ])
    return readIdentity(bootId, stat)
  } catch {
    return null
  }
}

/** From `/proc/<pid>/stat` (proc(5)): the name may hold blanks and brackets, so fields count from the last `)`. */
export function readIdentity(bootId: string, stat: string): string | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state] = fields
  const startTicks = fields[19]
  // A zombie has ended: only its parent has not noticed.
  return state === 'Z' || startTicks === undefined ? null : `${bootId.trim()}/${startTicks}`
}

/** Whether the process of that pid is there and still the same. */
export async function isAlive({ pid, identity }: { pid: number; identity: string | null }): Promise<boolean> {
  if (identity !== null) return (await identityOf(pid)) === identity
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}
