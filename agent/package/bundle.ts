import { build } from 'esbuild'

/**
 * The agent as one module for a single executable. Its map stays beside it, not inside: 1 MB that only who reads a stack
 * trace needs.
 */
export async function bundleAgent(entry: string, output: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile: output,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    minify: true,
    sourcemap: 'external',
    // The same bytes wherever it is built.
    absWorkingDir: new URL('../..', import.meta.url).pathname,
    logLevel: 'warning',
    // A single executable has no module to require from; CommonJS dependencies ask for Node's own ones only.
    banner: { js: 'globalThis.require??=process.getBuiltinModule("node:module").createRequire(process.execPath);' },
  })
}
