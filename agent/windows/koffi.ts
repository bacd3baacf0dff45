import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { getRawAsset, isSea } from 'node:sea'
import { describeError, systemCode } from '../error.ts'
import { writeFileAtomic } from '../file.ts'

/** The foreign-function interface, as the package `koffi` types it. */
export type Koffi = typeof import('koffi')

/** Name of the asset that the single executable carries: the package's own `koffi.node` for win32-x64. */
export const KOFFI_ASSET = 'koffi.node'

let loaded: Koffi | undefined

/** Loads koffi once: from the single executable's asset, else from the installed package. Throws where neither is there. */
export function koffi(): Koffi {
  loaded ??= isSea() ? loadAsset() : createRequire(import.meta.url)('koffi')
  return loaded as Koffi
}

/**
 * Node can load an addon only from a file, so the asset is written beside the executable, which only administrators can
 * write to, and is compared whole before each load: whoever replaces it gains nothing. Its name carries its digest, as a
 * loaded file of an older release cannot be overwritten.
 */
function loadAsset(): Koffi {
  const bytes = Buffer.from(getRawAsset(KOFFI_ASSET))
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  const file = path.join(path.dirname(process.execPath), 'lib', `koffi-${digest}.node`)
  if (!holds(file, bytes)) {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileAtomic(file, bytes)
  }
  const module = { exports: {} }
  process.dlopen(module, file)
  return module.exports as Koffi
}

function holds(file: string, bytes: Buffer): boolean {
  try {
    return readFileSync(file).equals(bytes)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw new Error(`${file} cannot be read (${describeError(error)})`)
  }
}
