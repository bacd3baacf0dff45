import { createHash } from 'node:crypto'

/** Lines of `sha256sum -c`, by name, of the files handed out. */
export function checksums(files: ReadonlyMap<string, Uint8Array>): string {
  return [...files]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`)
    .join('')
}
