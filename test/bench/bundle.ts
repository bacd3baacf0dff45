import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ROOT } from '../support/stack.ts'

/** The built Worker, gzipped as an upload of it is. */
export async function measureBundleKb(): Promise<number> {
  return gzipSync(await readFile(join(ROOT, 'dist/relay/index.js'))).length / 1024
}
