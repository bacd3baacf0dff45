import { execFileSync } from 'node:child_process'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** CPU time that a process used so far, in user and system mode, its threads included (proc(5), stat fields 14, 15). */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND
}

export async function rssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]
  if (kilobytes === undefined) throw new Error(`process ${pid} has no memory`)
  return Number(kilobytes) / 1024
}

/** Median time of appending 4 KB and fsync, in milliseconds: what a commit cannot be faster than. */
export function fsyncMs(directory: string): number {
  const file = openSync(join(directory, 'fsync'), 'w')
  const block = new Uint8Array(4096)
  const took = Array.from({ length: 200 }, () => {
    const startMs = performance.now()
    writeSync(file, block)
    fsyncSync(file)
    return performance.now() - startMs
  })
  closeSync(file)
  return median(took)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
