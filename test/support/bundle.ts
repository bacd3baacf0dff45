import { build } from 'esbuild'

/** The relay as one module for workerd, made as wrangler makes it. */
export async function bundleRelay(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL('../../relay/index.ts', import.meta.url).pathname],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'error',
  })
  const [file] = outputFiles
  if (!file) throw new Error('esbuild made no bundle')
  return file.text
}
