import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { UserError } from './user-error.ts'

/** The directory of this package, from the sources as from the bundle in `dist/`. */
export function packageRoot(from: string = import.meta.dirname): string {
  const manifest = join(from, 'package.json')
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'onec-relay') return from
  const parent = dirname(from)
  if (parent === from)
    throw new UserError('The files of onec-relay are not where this program expects them.', {
      next: 'npm ci && npm run build',
    })
  return packageRoot(parent)
}

/** A built file. Fails when it was not built yet. */
export function builtFile(root: string, path: string): string {
  const file = join(root, path)
  if (existsSync(file)) return file
  throw new UserError(`${file} is not there: it was not built yet.`, { next: 'npm run build' })
}

/** The workerd executable of this platform. */
export function workerdBinary(root: string): string {
  try {
    return createRequire(join(root, 'package.json'))('workerd').default
  } catch {
    throw new UserError('workerd, which runs the relay, is not installed.', { next: 'npm ci' })
  }
}
