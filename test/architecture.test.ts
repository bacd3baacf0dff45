import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOLDERS = ['agent', 'relay', 'shared']

/** Path from the package's folder → text, of all production code. */
const SOURCES = new Map(
  FOLDERS.flatMap(folder =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter(path => path.endsWith('.ts'))
      .map(path => join(folder, path))
      .map(path => [path, readFileSync(join(ROOT, path), 'utf8')] as const),
  ),
)

const PATHS = [...SOURCES.keys()].toSorted()

/** Without comments: what they speak of is not done. */
const codeOf = (path: string) =>
  (SOURCES.get(path) ?? '').replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1')

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s*'([^']+)'|(?:^|\n)\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'/g

/** What a file imports: paths from the package's folder, or the names of packages. */
function importsOf(path: string): string[] {
  return [...(SOURCES.get(path) ?? '').matchAll(IMPORT)].map(([, from, bare, dynamic]) => {
    const name = from ?? bare ?? dynamic ?? ''
    return name.startsWith('.') ? normalize(join(dirname(path), name)) : name
  })
}

/** `file → import` of every import of these files that `allowed` does not let pass. */
function strangers(files: readonly string[], allowed: (imported: string) => boolean): string[] {
  return files.flatMap(path => importsOf(path).flatMap(one => (allowed(one) ? [] : [`${path} → ${one}`])))
}

const inside =
  (...folders: readonly string[]) =>
  (path: string) =>
    folders.some(folder => path === folder || path.startsWith(`${folder}/`))

const under = (...folders: readonly string[]) => PATHS.filter(inside(...folders))
const having = (pattern: RegExp, ...folders: readonly string[]) =>
  under(...folders).filter(path => pattern.test(codeOf(path)))

/** Runs in workerd: everything of the relay but its command line. */
const WORKER = PATHS.filter(path => inside('relay')(path) && !inside('relay/cli')(path))

/** Makes what is handed out, on a developer's machine; no part of it. */
const BUILD = PATHS.filter(inside('agent/package'))

test('every import is understood, and leads to a file that is there', () => {
  const files = PATHS.flatMap(path => importsOf(path).filter(inside(...FOLDERS)))
  expect(files.length).toBeGreaterThan(200)
  const present = new Set(PATHS.concat('agent/package.json'))
  expect(files.filter(path => !present.has(path) && !path.endsWith('.json'))).toEqual([])
  for (const path of PATHS) {
    const said = codeOf(path).match(/^(import|export)\b.*\bfrom '/gm)?.length ?? 0
    expect(importsOf(path).length, path).toBeGreaterThanOrEqual(said)
  }
})

describe('agent → shared ← relay', () => {
  test('agent and relay never meet', () => {
    expect(strangers(under('agent'), path => !inside('relay')(path))).toEqual([])
    expect(strangers(under('relay'), path => !inside('agent')(path))).toEqual([])
  })

  test('shared imports zod and itself, nothing else', () => {
    expect(strangers(under('shared'), path => path === 'zod' || inside('shared')(path))).toEqual([])
  })

  test('production code never imports from test/', () => {
    expect(strangers(PATHS, path => !inside('test')(path) && !path.startsWith('..'))).toEqual([])
  })

  test('nothing that runs imports what builds it', () => {
    expect(
      strangers(
        PATHS.filter(path => !BUILD.includes(path)),
        path => !inside('agent/package')(path),
      ),
    ).toEqual([])
  })

  test('only what is declared is imported', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const packages = Object.keys(manifest.dependencies)
    const known = (path: string) =>
      inside(...FOLDERS)(path) ||
      packages.some(name => path === name || path.startsWith(`${name}/`)) ||
      path.startsWith('node:') ||
      path === 'cloudflare:workers'
    expect(
      strangers(
        PATHS.filter(path => !BUILD.includes(path)),
        known,
      ),
    ).toEqual([])
    packages.push(...Object.keys(manifest.devDependencies))
    expect(strangers(BUILD, known)).toEqual([])
    expect(
      strangers(PATHS, path => path.startsWith('node:') || !builtinModules.includes(path)),
      'built-ins have their prefix',
    ).toEqual([])
  })
})

describe('inside the relay, never upwards', () => {
  test('codec imports shared and itself', () => {
    const packages = ['snappyjs', 'node:zlib']
    expect(strangers(under('relay/codec'), path => inside('relay/codec', 'shared', ...packages)(path))).toEqual([])
  })

  test('sinks import codec, shared and themselves', () => {
    const allowed = inside('relay/sinks', 'relay/codec', 'shared', 'relay/version.ts', 'zod')
    expect(strangers(under('relay/sinks'), allowed)).toEqual([])
  })

  test('secrets and tokens know nothing of those who use them', () => {
    const base = ['relay/problem.ts', 'relay/result.ts', 'shared', 'zod']
    expect(strangers(under('relay/secrets'), inside('relay/secrets', ...base))).toEqual([])
    expect(
      strangers(under('relay/auth'), inside('relay/auth', 'relay/secrets', 'relay/directory/rpc.ts', ...base)),
    ).toEqual([])
  })

  test('the tenant object imports sinks and what is below, never the app, the API or the directory', () => {
    const above = inside('relay/app.ts', 'relay/index.ts', 'relay/objects.ts', 'relay/api', 'relay/ingest', 'relay/cli')
    const sides = inside('relay/directory')
    expect(strangers(under('relay/tenant'), path => !above(path) && !sides(path))).toEqual([])
  })

  test('the directory object imports neither tenants nor the app', () => {
    const strange = inside(
      'relay/app.ts',
      'relay/index.ts',
      'relay/objects.ts',
      'relay/api',
      'relay/ingest',
      'relay/tenant',
    )
    expect(strangers(under('relay/directory'), path => !strange(path))).toEqual([])
  })

  test('ingest and the API reach objects by their RPC alone', () => {
    const objects = inside('relay/tenant', 'relay/directory')
    const contracts = ['relay/tenant/rpc.ts', 'relay/directory/rpc.ts', 'relay/directory/slug.ts']
    const rules = ['relay/directory/enrolment-code.ts']
    const allowed = (path: string) => !objects(path) || [...contracts, ...rules].includes(path)
    expect(strangers(under('relay/ingest', 'relay/api'), allowed)).toEqual([])
  })

  test('only index knows the app and the objects both', () => {
    const importers = (path: string) => PATHS.filter(one => importsOf(one).includes(path))
    expect(importers('relay/app.ts')).toEqual(['relay/index.ts'])
    expect(importers('relay/tenant/object.ts')).toEqual(['relay/index.ts'])
    expect(importers('relay/directory/object.ts')).toEqual(['relay/index.ts'])
  })

  test('the rules of the tenant object run without it: only the shell names the runtime', () => {
    expect(PATHS.filter(path => importsOf(path).includes('cloudflare:workers'))).toEqual([
      'relay/directory/object.ts',
      'relay/tenant/object.ts',
    ])
  })

  test('the Worker imports nothing of Node but its zlib, and nothing of the command line', () => {
    expect(strangers(WORKER, path => !path.startsWith('node:') || path === 'node:zlib')).toEqual([])
    expect(strangers(WORKER, path => !inside('relay/cli')(path))).toEqual([])
  })
})

describe('the world is touched in few places', () => {
  test('fetch is called once in the Worker', () => {
    const calls = WORKER.flatMap(path => [...codeOf(path).matchAll(/(?<![\w.])fetch\(/g)].map(() => path))
    expect(calls).toEqual(['relay/tenant/deliver.ts'])
  })

  test('the environment is read in one file of the agent and one of the command line', () => {
    expect(having(/\bprocess\s*\.\s*env\b|\bprocess\[['"]env/, 'agent', 'relay', 'shared')).toEqual([
      'agent/config.ts',
      'relay/cli/environment.ts',
    ])
  })

  test('the wall clock is read in shells alone', () => {
    expect(having(/\bDate\.now\b|\bnew Date\(\)/, 'agent', 'relay', 'shared')).toEqual([
      'agent/clock.ts',
      'relay/api/admin.ts',
      'relay/api/agent.ts',
      'relay/cli/main.ts',
      'relay/cli/serve/relay.ts',
      'relay/cli/start/host-agent.ts',
      'relay/directory/object.ts',
      'relay/tenant/object.ts',
    ])
  })

  test('chance is asked in shells alone', () => {
    expect(having(/\bMath\.random\b/, 'agent', 'relay', 'shared')).toEqual([
      'agent/cli/run.ts',
      'agent/cli/service.ts',
      'relay/tenant/deliveries.ts',
    ])
  })
})
