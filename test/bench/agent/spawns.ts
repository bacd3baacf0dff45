/** Processes that a program started, from what `strace -f -ttt -e trace=fork,vfork,clone,clone3,execve` wrote. */
export interface Spawn {
  readonly atMs: number
  readonly call: string
}

/**
 * Calls that make a process: a clone that is no thread. A call that another thread interrupts is written in two lines,
 * of which the first has the flags; one that failed made nothing.
 */
export function parseSpawns(trace: string): Spawn[] {
  return trace.split('\n').flatMap(line => {
    const [, seconds, call] = /^\d+\s+(\d+\.\d+) ((?:v?fork|clone3?)\(.*)$/.exec(line) ?? []
    if (seconds === undefined || call === undefined) return []
    if (call.includes('CLONE_THREAD') || / = -1 /.test(call)) return []
    return [{ atMs: Number(seconds) * 1000, call }]
  })
}
