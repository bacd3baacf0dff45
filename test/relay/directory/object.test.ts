import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

const ROOT_HASH = 'a'.repeat(64)
const CODE = { codeHash: 'c'.repeat(64), hint: '7K2M', uses: 1, expiresAtMs: 4_000_000_000_000, note: null }

/** The real object in workerd, its RPC methods reached as `{ method, args }`; `sql` spoils its storage. */
const WORKER = `
import { DirectoryObject as Real } from './relay/directory/object.ts'
import { errorResponse } from './relay/problem.ts'
export class DirectoryObject extends Real {
  sql(query) { return this.ctx.storage.sql.exec(query).toArray() }
}
export default {
  async fetch(request, env) {
    const { method, args } = await request.json()
    try {
      return Response.json((await env.DIRECTORY.getByName('directory')[method](...args)) ?? null)
    } catch (error) {
      return errorResponse(error)
    }
  },
}`

let script: string
let directory: string
let running: Miniflare | undefined

beforeAll(async () => {
  const bundle = await build({
    stdin: { contents: WORKER, resolveDir: new URL('../../..', import.meta.url).pathname, loader: 'ts' },
    bundle: true,
    format: 'esm',
    target: 'es2023',
    external: ['cloudflare:*', 'node:*'],
    write: false,
  })
  script = bundle.outputFiles[0]?.text ?? ''
  directory = await mkdtemp(join(tmpdir(), 'onec-directory-'))
})

afterEach(async () => {
  await running?.dispose()
  running = undefined
})

afterAll(() => rm(directory, { recursive: true, force: true }))

async function start() {
  await running?.dispose()
  running = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script,
      compatibilityDate: '2026-10-01',
      compatibilityFlags: ['nodejs_compat'],
      durableObjects: { DIRECTORY: { className: 'DirectoryObject', useSQLite: true } },
      bindings: { RELAY_OPERATOR_HASH: ROOT_HASH },
      resourcePersistencePath: directory,
      cf: false,
    }),
  )
  const miniflare = running
  return async (method: string, ...args: unknown[]) => {
    const reply = await miniflare.dispatchFetch('http://relay/', {
      method: 'POST',
      body: JSON.stringify({ method, args }),
    })
    return reply.json()
  }
}

test('the object keeps what it said across a restart', async () => {
  const before = await start()
  const added = await before('addTenant', { name: 'ООО Ромашка' }, 'root')
  expect(added).toMatchObject({ ok: true, value: { id: 'ooo-romashka' } })
  await before('addEnrolment', { tenantId: 'ooo-romashka', ...CODE }, 'root')
  expect(await before('redeem', CODE.codeHash, 'machine-1')).toEqual(added)

  const after = await start()
  expect(await after('tenant', 'ООО Ромашка')).toEqual(added)
  expect(await after('redeem', CODE.codeHash, 'machine-1')).toEqual(added)
  expect(await after('redeem', CODE.codeHash, 'machine-2')).toMatchObject({ ok: false, code: 'enrolment_code_used' })
  expect(await after('operator', ROOT_HASH)).toMatchObject({ ok: true, value: { id: 'root' } })
  await after('audit', { by: 'root', action: 'host.remove', tenantId: 'ooo-romashka', subject: 'БУХ-1С' })
  expect(await after('sql', 'SELECT action FROM audit ORDER BY id')).toEqual(
    ['tenant.add', 'enrolment.add', 'enrolment.redeem', 'host.remove'].map(action => ({ action })),
  )
})

test('state that cannot be read is said so by every method, and stays as it is', async () => {
  const before = await start()
  await before('addTenant', { name: 'Второй' }, 'root')
  await before('sql', 'UPDATE meta SET value = value + 2')

  const after = await start()
  const unreadable = { code: 'state_unreadable', detail: expect.stringContaining('newer release') }
  expect(await after('operator', ROOT_HASH)).toEqual({ ok: false, ...unreadable })
  expect(await after('addTenant', { name: 'Третий' }, 'root')).toEqual({ ok: false, ...unreadable })
  expect(await after('tenants')).toMatchObject(unreadable)
  expect(await after('enrolments', 'vtoroy')).toMatchObject(unreadable)
  expect(await after('audit', { by: 'root', action: 'x', tenantId: null, subject: '' })).toMatchObject(unreadable)
  await after('sql', 'UPDATE meta SET value = value - 2')

  const restored = await start()
  expect(await restored('tenant', 'Второй')).toMatchObject({ ok: true })
})
