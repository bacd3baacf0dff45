import { execFile } from 'node:child_process'
import { systemCode } from '../error.ts'
import { enterJob, type Job } from '../windows/job.ts'

/** What a command has started, all of it: a shell script's own children too. */
export interface ProcessTree {
  /** Options under which its first process must be started. */
  readonly spawn: { readonly detached: boolean }
  /** Asks all of it to end; where no signal can ask (Windows), ends it. */
  signal(pid: number, signal: NodeJS.Signals): void
  /** Whether the first process, which has ended, has left any that may be asked to end and has not done so yet. */
  isRestLeft(pid: number): boolean
  /** Ends what the first process, which has ended, has left. */
  endRest(pid: number): void
}

export function createProcessTree(platform: NodeJS.Platform = process.platform): ProcessTree {
  return platform === 'win32' ? windowsTree() : groupTree
}

/** A process group of its own. What it may not signal (`sudo` has begun it) must end by itself. */
const groupTree: ProcessTree = {
  spawn: { detached: true },
  signal(pid, signal) {
    try {
      process.kill(-pid, signal)
    } catch (error) {
      if (systemCode(error) !== 'ESRCH' && systemCode(error) !== 'EPERM') throw error
    }
  },
  isRestLeft(pid) {
    try {
      return process.kill(-pid, 0)
    } catch {
      return false
    }
  },
  endRest: pid => groupTree.signal(pid, 'SIGKILL'),
}

/** By a job; where that cannot be had, by `taskkill /T`, which misses what has lost its parent. */
function windowsTree(): ProcessTree {
  let job: Job | undefined
  try {
    job = enterJob()
  } catch {
    job = undefined
  }
  return {
    spawn: { detached: false },
    signal(pid, signal) {
      // Ctrl+C and a closing console reach every program of the console by themselves.
      if (signal === 'SIGINT' || signal === 'SIGHUP') return
      if (job) job.endAll()
      else taskkill(pid)
    },
    // All of it was ended, not asked.
    isRestLeft: () => false,
    // Without a job only its number is left, which may be another's by now.
    endRest: () => job?.endAll(),
  }
}

const TASKKILL_MS = 30_000

function taskkill(pid: number): void {
  const program = 'C:\\Windows\\System32\\taskkill.exe'
  execFile(program, ['/T', '/F', '/PID', String(pid)], { timeout: TASKKILL_MS, windowsHide: true }, () => undefined)
}
