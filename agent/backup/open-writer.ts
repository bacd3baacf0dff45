import { readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { systemCode } from '../error.ts'
import { probeOpenWriter } from '../windows/open-writer.ts'
import type { Writer } from './verdict.ts'

/** Whether a program of this machine has the file open for writing; absent where that cannot be known. */
export async function findWriter(file: string): Promise<Writer> {
  return process.platform === 'win32' ? await probeOpenWriter(file) : await findWriterInProc(file)
}

/**
 * Looks through the descriptors of every process, which only root sees all of. Writers on other machines (NFS, SMB) are
 * in no /proc: the two equal looks before this one are what tells of them.
 */
export async function findWriterInProc(file: string, proc = '/proc'): Promise<Writer> {
  const target = await realpath(file)
  let sawAll = true
  for (const pid of (await readdir(proc).catch(() => [])).filter(name => /^\d+$/.test(name))) {
    const directory = `${proc}/${pid}`
    const descriptors = await readdir(`${directory}/fd`).catch(error => {
      // A process that ended has nothing open.
      if (systemCode(error) !== 'ENOENT') sawAll = false
      return []
    })
    for (const descriptor of descriptors)
      if ((await readlink(`${directory}/fd/${descriptor}`).catch(() => '')) === target)
        if (isWriting(await readFile(`${directory}/fdinfo/${descriptor}`, 'utf8').catch(() => ''))) return 'open'
  }
  return sawAll ? 'none' : undefined
}

/** From /proc/PID/fdinfo/N: `flags: 0100002`, octal; the lowest two bits are O_RDONLY 0, O_WRONLY 1, O_RDWR 2. */
function isWriting(information: string): boolean {
  const flags = /^flags:\s*([0-7]+)/m.exec(information)?.[1]
  return flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0
}
