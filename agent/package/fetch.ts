import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync } from 'node:fs'
import path from 'node:path'
import { systemCode, UserError } from '../error.ts'
import type { Pin } from './pins.ts'
import { runTool } from './tool.ts'

/**
 * Path of one file of a pinned package. Its archive comes from npm's registry once and stays in `cache`, so that a
 * second build needs no network; its digest is compared each time. Fails with a UserError when it is not the pinned one.
 */
export async function fetchFile(pin: Pin, file: string, cache: string): Promise<string> {
  const archive = path.join(cache, archiveName(pin))
  if (!isPinned(archive, pin)) await download(pin, archive, cache)
  const folder = path.join(cache, archiveName(pin).replace(/\.tgz$/, ''))
  mkdirSync(folder, { recursive: true })
  await runTool('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', `package/${file}`])
  return path.join(folder, file)
}

/** What `npm pack` calls it. */
export const archiveName = ({ name, version }: Pin): string =>
  `${name.replace(/^@/, '').replaceAll('/', '-')}-${version}.tgz`

async function download(pin: Pin, archive: string, cache: string): Promise<void> {
  const folder = path.join(cache, 'download')
  mkdirSync(folder, { recursive: true })
  await runTool('npm', [
    'pack',
    `${pin.name}@${pin.version}`,
    '--silent',
    '--ignore-scripts',
    '--pack-destination',
    folder,
  ])
  const downloaded = path.join(folder, archiveName(pin))
  if (!isPinned(downloaded, pin))
    throw new UserError(`${pin.name}@${pin.version} is not what this repository pins: its digest differs.`)
  renameSync(downloaded, archive)
}

function isPinned(archive: string, { integrity }: Pin): boolean {
  try {
    return integrityOf(readFileSync(archive)) === integrity
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

export const integrityOf = (bytes: Uint8Array): string =>
  `sha512-${createHash('sha512').update(bytes).digest('base64')}`
