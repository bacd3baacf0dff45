import { statfs, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { StatePaths } from '../config.ts'
import { describeError, systemCode } from '../error.ts'
import { removeIfThere } from '../file.ts'
import type { Check } from './check.ts'
import { type Finding, finding } from './finding.ts'

const FULL_BYTES = 256 * 1024 ** 2
const LOW_BYTES = 1024 ** 3

export function judgeFree(directory: string, freeBytes: number): Finding {
  const code = freeBytes < FULL_BYTES ? 'disk.full' : freeBytes < LOW_BYTES ? 'disk.low' : 'disk.free'
  return finding(code, { directory, freeBytes })
}

/** Whether the spool's disk has room, and takes a file. */
export function diskCheck(paths: StatePaths): Check {
  return {
    name: 'disk',
    deadlineMs: 10_000,
    async run() {
      const { bavail, bsize } = await statfs(paths.directory)
      const reason = await whyUnwritable(paths.spool)
      return [
        judgeFree(paths.directory, bavail * bsize),
        ...(reason === undefined ? [] : [finding('spool.unwritable', { directory: paths.spool, reason })]),
      ]
    },
  }
}

/** A spool that is not there yet is made by the agent. */
async function whyUnwritable(directory: string): Promise<string | undefined> {
  const file = path.join(directory, `doctor-${process.pid}.tmp`)
  try {
    await writeFile(file, 'x').finally(() => removeIfThere(file))
    return undefined
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return systemCode(error) === 'ENOENT' ? undefined : describeError(error)
  }
}
