import { readTextIfThere, writeFileAtomic } from './file.ts'

/** A secret in a file of its own, which only its owner reads: 0600. Absent when there is none. Throws the system's error. */
export function readSecret(file: string): string | undefined {
  return readTextIfThere(file)?.trim() || undefined
}

export function writeSecret(file: string, secret: string): void {
  writeFileAtomic(file, `${secret}\n`)
}
