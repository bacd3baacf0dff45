import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { UserError } from '../error.ts'
import { VERSION } from '../version.ts'
import { bundleAgent } from './bundle.ts'
import { checksums } from './checksums.ts'
import { buildExecutable } from './executable.ts'
import { fetchFile } from './fetch.ts'
import { buildInstaller } from './installer.ts'
import { KOFFI_WINDOWS, NODE_VERSION, NODE_WINDOWS } from './pins.ts'
import { type SigningOptions, signFile, signingArguments } from './sign.ts'
import { runTool } from './tool.ts'
import { nameExecutable } from './version-info.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CACHE = path.join(ROOT, 'node_modules', '.cache', 'onec-relay')

interface Options extends SigningOptions {
  readonly output: string
}

const program = new Command('build:agent')
  .description('Make the executables of the agent, their installer and SHA256SUMS')
  .option('--output <dir>', 'where to', path.join(ROOT, 'dist', 'agent'))
  .option('--cert <file>', 'sign with this certificate (PEM, its chain included)')
  .option('--key <file>', 'and this key (PEM)')
  .option('--pfx <file>', 'or with both in one file (PKCS #12)')
  .option('--password <file:path>', 'file that holds the password of the key')
  .option('--timestamp <url>', 'RFC 3161 service, so that the signature outlives the certificate')
  .action(buildAgent)

async function buildAgent(options: Options): Promise<void> {
  const signing = signingArguments(options)
  if (process.version !== `v${NODE_VERSION}`)
    throw new UserError(`This needs Node ${NODE_VERSION}, as it goes into the executable; found ${process.version}.`)
  const output = path.resolve(options.output)
  const work = path.join(output, 'work')
  for (const name of [...HANDED_OUT, 'SHA256SUMS', 'work'])
    rmSync(path.join(output, name), { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const [linux, windows, installer] = HANDED_OUT.map(name => path.join(output, name)) as [string, string, string]

  const bundle = path.join(work, 'onec-agent.js')
  await bundleAgent(path.join(ROOT, 'agent', 'main.ts'), bundle)
  await buildLinux(bundle, work, linux)
  await buildWindows(bundle, work, windows)
  if (signing) await signFile(windows, signing)
  await buildInstaller(windows, VERSION, work, installer)
  if (signing) await signFile(installer, signing)

  const contents = new Map(HANDED_OUT.map(name => [name, readFileSync(path.join(output, name))]))
  writeFileSync(path.join(output, 'SHA256SUMS'), checksums(contents))
  for (const [name, { length }] of contents)
    console.log(`${(length / 1e6).toFixed(1)} MB  ${path.join(options.output, name)}`)
  if (!signing) console.log('Unsigned: Windows will warn of it. Sign with --cert FILE --key FILE, or --pfx FILE.')
}

const HANDED_OUT = ['onec-agent', 'onec-agent.exe', 'onec-agent.msi']

/** Without Node's debugging symbols: a fifth of it. */
async function buildLinux(main: string, work: string, output: string): Promise<void> {
  const node = path.join(work, 'node')
  await runTool('strip', ['--strip-unneeded', '-o', node, process.execPath])
  await buildExecutable({ main, node, output })
}

async function buildWindows(main: string, work: string, output: string): Promise<void> {
  const original = await fetchFile(NODE_WINDOWS, 'bin/node.exe', CACHE)
  const koffi = await fetchFile(KOFFI_WINDOWS, 'win32_x64/koffi.node', CACHE)
  const node = path.join(work, 'node.exe')
  const named = nameExecutable(readFileSync(original), {
    name: 'onec-agent',
    description: 'onec-agent: watches a 1C server for its relay',
    copyright: 'MIT license; contains Node.js, copyright Node.js contributors',
    version: VERSION,
  })
  writeFileSync(node, named)
  await buildExecutable({ main, node, output, koffi })
}

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof UserError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
