import { createHash } from 'node:crypto'
import { hostname, uptime } from 'node:os'
import * as z from 'zod'
import { systemCode } from './error.ts'
import { readTextIfThere } from './file.ts'
import { processCreatedAt } from './windows/process-times.ts'
import { readRegistryText } from './windows/registry.ts'

/** Changes with every boot: the kernel's own id where there is one, else the minute of the boot. */
export function readBootId(nowMs: number): string {
  const kernel = process.platform === 'win32' ? undefined : readTextIfThere('/proc/sys/kernel/random/boot_id')?.trim()
  return kernel || `boot-${Math.round((nowMs - uptime() * 1000) / 60_000)}`
}

/**
 * The same for one installation as long as the machine lives, so that enrolling again is the same host; another one for
 * a second state directory. machine-id(5) asks not to hand out the id itself. Absent where the system has none.
 */
export function readMachineId(stateDirectory: string): string | undefined {
  const id = (process.platform === 'win32' ? readMachineGuid() : readLinuxMachineId())?.trim()
  if (!id) return undefined
  return createHash('sha256').update(`onec-agent ${id} ${stateDirectory}`).digest('hex').slice(0, 32)
}

const readLinuxMachineId = () => readTextIfThere('/etc/machine-id') ?? readTextIfThere('/var/lib/dbus/machine-id')

/** Made when Windows is installed; a copy of the disk has the same until it is prepared anew (sysprep). */
const readMachineGuid = () => readRegistryText('SOFTWARE\\Microsoft\\Cryptography', 'MachineGuid')

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
  const signal = trySignal(identity.pid)
  if (signal === 'gone') return false
  const began = processBegan(identity.pid)
  // Another account's process is there for sure, and on Windows it may not let itself be read.
  if (began === undefined && signal === 'refused') return true
  return identity.began === undefined || began === identity.began
}

function trySignal(pid: number): 'taken' | 'refused' | 'gone' {
  try {
    process.kill(pid, 0)
    return 'taken'
  } catch (error) {
    return systemCode(error) === 'EPERM' ? 'refused' : 'gone'
  }
}

function processBegan(pid: number): string | undefined {
  try {
    return process.platform === 'win32' ? processCreatedAt(pid) : bootAndStartTick(pid)
  } catch {
    return undefined
  }
}

/** From /proc/PID/stat, field 22, counted behind the name, which may hold blanks. */
function bootAndStartTick(pid: number): string | undefined {
  const stat = readTextIfThere(`/proc/${pid}/stat`)
  const tick = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return tick && `${readTextIfThere('/proc/sys/kernel/random/boot_id')?.trim()}/${tick}`
}
