import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { UserError } from '../error.ts'

/**
 * A service runs as LocalSystem, so that whoever may write to its program has the machine: it runs from below
 * `programFiles`, where only administrators write, and from elsewhere is copied there. Answers the path of the program
 * to run. Throws the system's error.
 */
export function placeProgram(running: string, programFiles: string): string {
  if (isBelow(running, programFiles)) return running
  const program = path.join(programFiles, 'onec-agent', 'onec-agent.exe')
  mkdirSync(path.dirname(program), { recursive: true })
  const [fresh, old] = [`${program}.new`, `${program}.old`]
  copyFileSync(running, fresh)
  // Somebody may still run the old one (`status` in a window): it can be renamed, and is deleted another time.
  rmSync(old, { force: true })
  if (existsSync(program)) renameSync(program, old)
  renameSync(fresh, program)
  try {
    rmSync(old, { force: true })
  } catch {
    // In use: the next installation tries again.
  }
  return program
}

/** Windows tells names apart without their case. */
export function isBelow(file: string, directory: string): boolean {
  const way = path.relative(directory.toLowerCase(), file.toLowerCase())
  return way !== '' && !way.startsWith('..') && !path.isAbsolute(way)
}

/**
 * The same on Linux, where the service runs what lies wherever it lies: fails with a UserError where somebody but `owner`
 * (root) may write to the file, or may put another one in its place. A group is root's to fill.
 */
export function requireOnlyOwners(file: string, owner = 0): string {
  for (let at = file; ; at = path.dirname(at)) {
    const { uid, mode } = statSync(at)
    // In a sticky directory nobody moves what is another's.
    if ((uid !== owner && uid !== 0) || (mode & 0o1002) === 0o002)
      throw new UserError(
        `Root would run ${file}, but ${at} can be changed by others. Copy it first: sudo install -m 755 ${file} /usr/local/bin/onec-agent`,
      )
    if (at === path.dirname(at)) return file
  }
}
