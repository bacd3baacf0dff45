import { build, type Plugin } from 'esbuild'

/** The source of a file in place of its own; absent: as it is. */
export type Patch = (path: string) => string | undefined

/** The relay as one module for workerd, made as wrangler makes it. */
export async function bundleRelay(patch?: Patch): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL('../../relay/index.ts', import.meta.url).pathname],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'error',
    ...(patch && { plugins: [patching(patch)] }),
  })
  const [file] = outputFiles
  if (!file) throw new Error('esbuild made no bundle')
  return file.text
}

function patching(patch: Patch): Plugin {
  return {
    name: 'patch',
    setup: ({ onLoad }) =>
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = patch(path)
        return contents === undefined ? undefined : { contents, loader: 'ts' }
      }),
  }
}
