import { writeFileSync } from 'node:fs'
import { systemCode, UserError } from './error.ts'
import { readTextIfThere, removeIfThere } from './file.ts'
import { identifyProcess, isRunning, type ProcessIdentity, processIdentity } from './identity.ts'
import { decodeJson } from './json.ts'

/** Another process works in the state directory. */
export class RunningAlreadyError extends UserError {
  override name = 'RunningAlreadyError'
  readonly pid: number
  constructor(pid: number) {
    super(
      `An agent runs already with this state directory (process ${pid}). Stop it first: Ctrl-C where it was started by hand; a service is stopped by \`enrol --service\` itself.`,
    )
    this.pid = pid
  }
}

/**
 * Makes this process the only one that works in the state directory; the returned call gives it back. A lock whose
 * process is gone (kill -9) is taken over. Fails with a RunningAlreadyError when another one runs.
 */
export function takeLock(file: string): () => void {
  const mine = JSON.stringify(identifyProcess(process.pid))
  for (let attempt = 0; attempt < 2; attempt++) {
    if (create(file, mine)) return () => release(file, mine)
    const owner = readOwner(file)
    if (owner && owner.pid !== process.pid && isRunning(owner)) throw new RunningAlreadyError(owner.pid)
    removeIfThere(file)
  }
  throw new UserError(`Another agent took ${file} at the same moment. Try again.`)
}

function create(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

function release(file: string, mine: string): void {
  if (readTextIfThere(file) === mine) removeIfThere(file)
}

/** Absent for a lock that a crash left half written. */
export function readOwner(file: string): ProcessIdentity | undefined {
  return processIdentity.safeParse(decodeJson(readTextIfThere(file))).data
}
