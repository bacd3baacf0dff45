import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { bundleAgent } from '../../agent/package/bundle.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The agent's program, for those tests that start it as one: `inject('agent')`. */
    agent: string
  }
}

/** Bundled once, as for its executable: 0.2 s a start for 0.8 from its sources, and there are a hundred. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'onec-agent-bundle-'))
  const file = path.join(folder, 'onec-agent.mjs')
  await bundleAgent(fileURLToPath(new URL('../../agent/main.ts', import.meta.url)), file)
  provide('agent', file)
  return () => rm(folder, { recursive: true })
}
