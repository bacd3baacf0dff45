import { foreign, type Handle, lastError, WindowsError } from './library.ts'

const createJob = foreign<[null, null], Handle>('kernel32.dll', 'intptr_t CreateJobObjectW(void *security, void *name)')
const assignProcess = foreign<[Handle, Handle]>(
  'kernel32.dll',
  'int AssignProcessToJobObject(intptr_t job, intptr_t process)',
)
const queryJob = foreign<[Handle, number, Buffer, number, null]>(
  'kernel32.dll',
  'int QueryInformationJobObject(intptr_t job, int what, void *out, uint32_t bytes, void *written)',
)

const CURRENT_PROCESS = -1
const BASIC_PROCESS_ID_LIST = 3
const MAX_PROCESSES = 1_024
/** A member that starts another while it is ended is met by the next round. */
const MAX_ROUNDS = 50

/** Everything that this process starts from now on, whoever is its parent then. */
export interface Job {
  /** Ends all of it but this process itself. */
  endAll(): void
}

/**
 * Puts this process into a job, which all that it starts inherits: no moment is left in which a child has escaped, and a
 * grandchild whose parent has ended is still found. Throws where Windows does not let it.
 */
export function enterJob(): Job {
  const job = createJob(null, null)
  if (Number(job) === 0) throw new WindowsError('CreateJobObjectW', lastError())
  if (!assignProcess(job, CURRENT_PROCESS)) throw new WindowsError('AssignProcessToJobObject', lastError())
  return {
    endAll() {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const others = members(job).filter(pid => pid !== process.pid)
        if (others.length === 0) return
        for (const pid of others) endProcess(pid)
      }
    },
  }
}

function members(job: Handle): number[] {
  const list = Buffer.alloc(8 + 8 * MAX_PROCESSES)
  if (!queryJob(job, BASIC_PROCESS_ID_LIST, list, list.length, null))
    throw new WindowsError('QueryInformationJobObject', lastError())
  return readProcessIds(list)
}

/** JOBOBJECT_BASIC_PROCESS_ID_LIST of 64 bits: how many there are, how many are listed (4 bytes each), then 8 bytes each. */
export function readProcessIds(list: Buffer): number[] {
  const listed = Math.min(list.readUInt32LE(4), Math.floor((list.length - 8) / 8))
  return Array.from({ length: listed }, (_, index) => Number(list.readBigUInt64LE(8 + 8 * index)))
}

/** One that has ended by itself is as good. */
function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone, or about to go.
  }
}
