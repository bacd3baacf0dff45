import type { HostFiles, Space } from '../../../agent/collect/host-files.ts'

interface Fixture {
  /** Text or bytes by path. */
  readonly files?: Readonly<Record<string, string | Buffer>>
  /** Symbolic links. */
  readonly links?: Readonly<Record<string, string>>
  readonly spaces?: Readonly<Record<string, Space>>
}

const missing = (path: string) => Promise.reject(Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' }))

/** A machine made of fixtures. A directory is there when something is below it. */
export function fixtureFiles({ files = {}, links = {}, spaces = {} }: Fixture): HostFiles {
  const paths = [...Object.keys(files), ...Object.keys(links)]
  return {
    readText: async path => (files[path] === undefined ? await missing(path) : String(files[path])),
    readBytes: async path => (files[path] === undefined ? await missing(path) : Buffer.from(files[path])),
    async list(path) {
      const below = paths
        .filter(each => each.startsWith(`${path}/`))
        .map(each => each.slice(path.length + 1).split('/')[0] ?? '')
      return below.length > 0 ? [...new Set(below)] : await missing(path)
    },
    exists: async path => paths.some(each => each === path || each.startsWith(`${path}/`)),
    resolve: async path => links[path],
    space: async path => spaces[path] ?? (await missing(path)),
  }
}
