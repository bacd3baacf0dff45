import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { HEAP_FLAGS } from '../heap.ts'
import { KOFFI_ASSET } from '../windows/koffi.ts'
import { runTool } from './tool.ts'

export interface Executable {
  /** The bundle, one ES module. */
  readonly main: string
  /** The Node that it runs on, for the platform that it runs on. */
  readonly node: string
  readonly output: string
  /** koffi's addon; none on Linux. */
  readonly koffi?: string
}

/**
 * What `node --build-sea` takes. A snapshot or a code cache is only good on the platform that made it. No arguments to
 * Node from outside: the service runs as LocalSystem.
 */
export function seaConfig({ main, node, output, koffi }: Executable) {
  return {
    main,
    mainFormat: 'module',
    executable: node,
    output,
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
    execArgv: ['--no-warnings', ...HEAP_FLAGS],
    execArgvExtension: 'none',
    assets: koffi ? { [KOFFI_ASSET]: koffi } : {},
  }
}

/** Needs to run in the same release of Node as the executable's. */
export async function buildExecutable(executable: Executable): Promise<void> {
  const folder = path.dirname(executable.main)
  const config = path.join(folder, 'sea.json')
  // The path of `main` becomes part of the executable, which must not tell of the folder that it was built in.
  writeFileSync(config, JSON.stringify(seaConfig({ ...executable, main: path.basename(executable.main) })))
  await runTool(process.execPath, ['--build-sea', config], folder)
}
