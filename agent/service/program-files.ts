import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'

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
