import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { removeIfThere } from '../file.ts'
import { decodeText } from './text.ts'
import { reasonOf } from './wording.ts'

/** File systems store times in steps of up to two seconds (FAT). */
const TIME_STEP_MS = 2_000

/** What a shell puts something else for: `$x`, `$(date)`, `%TEMP%`, `!x!`. The `$` of `\\srv\d$\1.dt` is none. */
const VARIABLE = /\$[\w({]|`|%[^%\s]+%|![^!\s]+!/

/**
 * The value of one of 1C's own options (`/DumpResult C:\r.txt`, `-DumpResult …`) in a command line, also in one that is
 * handed to a shell as a single text. Absent when it is not there, or when only the shell knows what it comes to.
 */
export function optionOf1C(command: readonly string[], name: string): string | undefined {
  const value = writtenValue(command, name)
  return value !== undefined && !is1C(command) && VARIABLE.test(value) ? undefined : value
}

function writtenValue(command: readonly string[], name: string): string | undefined {
  const at = command.findIndex(word => /^[/-]/.test(word) && word.slice(1).toLowerCase() === name.toLowerCase())
  if (at >= 0) return command[at + 1]
  const inText = new RegExp(`(?:^|\\s)[/-]${name}\\s+(?:"([^"]+)"|'([^']+)'|(\\S+))`, 'i')
  for (const word of command) {
    const match = inText.exec(word)
    if (match) return match[1] ?? match[2] ?? match[3]
  }
  return undefined
}

export const is1C = ([program = '']: readonly string[]): boolean =>
  /^1cv8[cs]?(\.exe)?$/i.test(path.win32.basename(path.posix.basename(program)))

/** The result of an earlier run must not be this one's. One that cannot be removed is told apart by its time. */
export function clearDumpResult(file: string): void {
  try {
    removeIfThere(file)
  } catch {
    // Held by another program, or not ours.
  }
}

/** Why the result that 1C wrote is none of success; absent when it is 0. */
export function dumpResultProblem(file: string, startedAtMs: number): string | undefined {
  let text: string
  try {
    if (statSync(file).mtimeMs < startedAtMs - TIME_STEP_MS)
      return reasonOf('dump_result', `${file} is of an earlier run and could not be removed`)
    text = decodeText(readFileSync(file)).replace(/[\s\ufeff\0]+/g, '')
  } catch {
    return reasonOf('dump_result', `1C wrote no result to ${file}`)
  }
  if (text === '0') return undefined
  return reasonOf('dump_result', text === '' ? `${file} is empty` : `1C wrote ${text.slice(0, 20)} to ${file}`)
}
