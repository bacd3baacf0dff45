import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleAgent } from '../../../agent/package/bundle.ts'
import { buildExecutable } from '../../../agent/package/executable.ts'

export interface BuiltAgent {
  readonly file: string
  readonly sizeBytes: number
}

/** The Linux executable as `npm run build:agent` makes it, without the Windows half. */
export async function buildLinuxAgent(folder: string): Promise<BuiltAgent> {
  const main = path.join(folder, 'onec-agent.js')
  await bundleAgent(fileURLToPath(new URL('../../../agent/main.ts', import.meta.url)), main)
  const node = path.join(folder, 'node')
  execFileSync('strip', ['--strip-unneeded', '-o', node, process.execPath])
  const file = path.join(folder, 'onec-agent')
  await buildExecutable({ main, node, output: file })
  return { file, sizeBytes: statSync(file).size }
}

/**
 * Takes a program out of the page cache, as a boot does. A file that was just written lies there in blocks of 2 MB, and a
 * process that maps it gets all of each at its first touch: 30 MB of RSS more than after a boot (Linux 6.18, ext4).
 */
export function forgetPages(file: string): void {
  execFileSync('sync', [file])
  execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none'])
}
