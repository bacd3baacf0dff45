import { createHash } from 'node:crypto'
import { hostname, uptime } from 'node:os'
import * as z from 'zod'
import { readTextIfThere } from './file.ts'

/** Changes with every boot: the kernel's own id where there is one, else the minute of the boot. */
export function readBootId(nowMs: number): string {
  const kernel = readTextIfThere('/proc/sys/kernel/random/boot_id')?.trim()
  return kernel || `boot-${Math.round((nowMs - uptime() * 1000) / 60_000)}`
}

/**
 * The same for one installation as long as the machine lives, so that enrolling again is the same host; another one for
 * a second state directory. machine-id(5) asks not to hand out the id itself. Absent where the system has none.
 */
export function readMachineId(stateDirectory: string): string | undefined {
  const id = (readTextIfThere('/etc/machine-id') ?? readTextIfThere('/var/lib/dbus/machine-id'))?.trim()
  if (!id) return undefined
  return createHash('sha256').update(`onec-agent ${id} ${stateDirectory}`).digest('hex').slice(0, 32)
}

/** The host's name as the wire takes it: no control characters, never empty. */
export function readHostname(): string {
  return (
    hostname()
      .replace(/[\p{Cc}\p{Cs}]/gu, '')
      .trim()
      .slice(0, 128) || 'unnamed'
  )
}

/** A process that another one can look for later, without taking a stranger with the same number for it. */
export const processIdentity = z.object({
  pid: z.int().min(1),
  /** When it began, in a unit of the system's own; absent where that cannot be read. */
  began: z.string().optional(),
})
export type ProcessIdentity = z.output<typeof processIdentity>

export function identifyProcess(pid: number): ProcessIdentity {
  return { pid, began: processBegan(pid) }
}

export function isRunning(identity: ProcessIdentity): boolean {
  try {
    process.kill(identity.pid, 0)
  } catch (error) {
    // Not ours to signal, so it is there.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return identity.began === undefined || processBegan(identity.pid) === identity.began
}

/** Boot and start tick from /proc/PID/stat, field 22, counted behind the name, which may hold blanks. */
function processBegan(pid: number): string | undefined {
  try {
    const stat = readTextIfThere(`/proc/${pid}/stat`)
    const tick = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return tick && `${readTextIfThere('/proc/sys/kernel/random/boot_id')?.trim()}/${tick}`
  } catch {
    return undefined
  }
}
