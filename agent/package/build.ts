import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { UserError } from '../error.ts'
import { VERSION } from '../version.ts'
import { bundleAgent } from './bundle.ts'
import { checksums } from './checksums.ts'
import { buildExecutable } from './executable.ts'
import { fetchFile } from './fetch.ts'
import { buildInstaller } from './installer.ts'
import { KOFFI_WINDOWS, NODE_VERSION, NODE_WINDOWS } from './pins.ts'
import { runTool } from './tool.ts'
import { nameExecutable } from './version-info.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CACHE = path.join(ROOT, 'node_modules', '.cache', 'onec-relay')
const OUTPUT = path.join(ROOT, 'dist', 'agent')
const WORK = path.join(OUTPUT, 'work')

/** `npm run build:agent`: what is handed out of the agent, in dist/agent. */
async function main(): Promise<void> {
  if (process.version !== `v${NODE_VERSION}`)
    throw new UserError(
      `This needs Node ${NODE_VERSION}, the release that goes into the executable; found ${process.version}.`,
    )
  rmSync(OUTPUT, { recursive: true, force: true })
  mkdirSync(WORK, { recursive: true })
  const bundle = path.join(WORK, 'onec-agent.js')
  await bundleAgent(path.join(ROOT, 'agent', 'main.ts'), bundle)
  const files = [await buildLinux(bundle), await buildWindows(bundle)]
  const installer = path.join(OUTPUT, 'onec-agent.msi')
  await buildInstaller(path.join(OUTPUT, 'onec-agent.exe'), VERSION, installer)
  files.push(installer)
  const contents = new Map(files.map(file => [path.basename(file), readFileSync(file)]))
  writeFileSync(path.join(OUTPUT, 'SHA256SUMS'), checksums(contents))
  for (const [name, { length }] of contents)
    console.log(`${(length / 1e6).toFixed(1).padStart(6)} MB  dist/agent/${name}`)
}

/** Without Node's debugging symbols: a fifth of it. */
async function buildLinux(main: string): Promise<string> {
  const node = path.join(WORK, 'node')
  await runTool('strip', ['--strip-unneeded', '-o', node, process.execPath])
  const output = path.join(OUTPUT, 'onec-agent')
  await buildExecutable({ main, node, output })
  return output
}

async function buildWindows(main: string): Promise<string> {
  const original = await fetchFile(NODE_WINDOWS, 'bin/node.exe', CACHE)
  const koffi = await fetchFile(KOFFI_WINDOWS, 'win32_x64/koffi.node', CACHE)
  const node = path.join(WORK, 'node.exe')
  const named = nameExecutable(readFileSync(original), {
    name: 'onec-agent',
    description: 'onec-agent: watches a 1C server for its relay',
    copyright: 'MIT license; contains Node.js, copyright Node.js contributors',
    version: VERSION,
  })
  writeFileSync(node, named)
  const output = path.join(OUTPUT, 'onec-agent.exe')
  await buildExecutable({ main, node, output, koffi })
  return output
}

try {
  await main()
} catch (error) {
  if (!(error instanceof UserError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
