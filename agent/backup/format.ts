import path from 'node:path'
import type { BackupConfig } from '../../shared/host-config.ts'
import type { SeenFile, Verdict } from './verdict.ts'

export type BackupFormat = NonNullable<BackupConfig['format']>

/** As many first bytes as {@link contentProblem} wants. */
export const HEAD_BYTES = 512

/** What files of a kind begin with. `pg_dump -Fc` and SQL Server from their documentation, the others measured. */
const MAGIC: Readonly<Record<BackupFormat, readonly Buffer[]>> = {
  dt: [Buffer.from('1CIBDmpF')],
  '1cd': [Buffer.from('1CDBMSV8')],
  // A file's header, or the end record of an empty archive.
  zip: [Buffer.from('PK\x03\x04', 'latin1'), Buffer.from('PK\x05\x06', 'latin1')],
  '7z': [Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1')],
  gz: [Buffer.from([0x1f, 0x8b])],
  pg_dump: [Buffer.from('PGDMP')],
  mssql: [Buffer.from('TAPE'), Buffer.from('MSSQLBAK')],
}

/** Extensions that promise a format. `.bak` and `.dump` do not: many programs use them for what they like. */
const BY_EXTENSION: Readonly<Record<string, BackupFormat>> = {
  '.dt': 'dt',
  '.1cd': '1cd',
  '.zip': 'zip',
  '.7z': '7z',
  '.gz': 'gz',
  '.tgz': 'gz',
}

/** What a file must be: as configured, else by its name; absent where neither says. */
export function expectedFormat(file: string, configured: BackupFormat | undefined): BackupFormat | undefined {
  return configured ?? BY_EXTENSION[path.extname(file).toLowerCase()]
}

/** What a file is by its first bytes; absent for one that begins like none of these. */
export function detectFormat(head: Uint8Array): BackupFormat | undefined {
  const formats = Object.keys(MAGIC) as BackupFormat[]
  return formats.find(format => MAGIC[format].some(magic => magic.equals(head.subarray(0, magic.length))))
}

/** What the first bytes of a file show. */
export interface Head {
  /** Absent: like none of these. */
  readonly format?: BackupFormat | undefined
  /** Zeros alone. */
  readonly isBlank: boolean
}

export const readHead = (head: Uint8Array): Head => ({
  format: detectFormat(head),
  isBlank: head.length > 0 && head.every(byte => byte === 0),
})

/** What the first bytes have against the file; absent when it may be a backup. */
export function contentProblem(
  file: SeenFile,
  { format: found, isBlank }: Head,
  rules: BackupConfig,
): Verdict | undefined {
  // A copy that was cut by a crash may have its size and no content; no kind of backup begins with 512 zeros.
  if (isBlank) return { code: 'damaged', words: 'the file begins with zeros alone' }
  const expected = expectedFormat(file.path, rules.format)
  if (expected !== undefined && found !== expected)
    return { code: 'wrong_type', words: `the file does not begin like ${expected}${found ? ` but like ${found}` : ''}` }
  if (found !== '1cd' || rules.offlineCopy) return undefined
  const words = 'a .1CD that was copied while users work is no backup; make a .dt, or set offlineCopy if nobody works'
  return { code: 'unsafe_copy', words }
}
