import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { descendants, type Running, run, until } from '../../../support/process.ts'

/** `serve` as a process, over a tiny Worker with the relay's class names. */
const MAIN = new URL('../../../../relay/cli/main.ts', import.meta.url).pathname
const WORKER = new URL('../support/tiny-worker.js', import.meta.url).pathname

let directory: string
let running: Running[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'onec-relay-serve-'))
  running = []
  const init = cli(['init', '--data', 'Данные'])
  expect(await init.ended, init.output()).toBe(0)
})

afterEach(async () => {
  await Promise.all(running.map(one => one.end('SIGTERM')))
  await rm(directory, { recursive: true })
})

function cli(args: readonly string[], env: Record<string, string> = {}): Running {
  const process_ = run(process.execPath, [MAIN, ...args], { cwd: directory, env })
  running.push(process_)
  return process_
}

const serve = (args: readonly string[] = [], env: Record<string, string> = {}) =>
  cli(['serve', '--data', 'Данные', '--port', '0', '--bundle', WORKER, ...args], env)

async function urlOf(serving: Running): Promise<string> {
  const [, url = ''] = await serving.says(/The relay serves at (http:\S+),/, 15_000)
  return url
}

async function tenants(url: string) {
  const token = await readFile(join(directory, 'Данные.private/operator.token'), 'utf8')
  const answer = await fetch(`${url}/v1/admin/tenants`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(5_000),
  })
  return (await answer.json()) as { tenants: { hosts: { total: number } }[]; private: string; linger: string }
}

const workerdOf = async (serving: Running) => (await descendants(serving.pid))[0] ?? 0

describe('serve', () => {
  it('serves with keys from the environment, wakes the tenants, forwards the log, keeps its state, ends cleanly', async () => {
    const first = serve([], { FLUSH_LINGER_MS: '50' })
    const answer = await tenants(await urlOf(first))
    // The first call was that of `serve` itself.
    expect(answer).toMatchObject({ private: 'allow', linger: '50', tenants: [{ hosts: { total: 2 } }] })
    await first.says(/Привет, запрос 2/, 5_000)
    const workerd = await workerdOf(first)
    expect(await first.end('SIGINT')).toBe(0)
    expect(first.output()).toContain('Stopped.')
    expect(() => process.kill(workerd, 0)).toThrow()

    const second = serve()
    expect((await tenants(await urlOf(second))).tenants[0]?.hosts.total).toBe(4)
  })

  it('keeps every secret out of the data directory and of the arguments', async () => {
    const serving = serve()
    await urlOf(serving)
    const priv = join(directory, 'Данные.private')
    const secrets = await Promise.all(['keys.json', 'operator.token'].map(name => readFile(join(priv, name), 'utf8')))
    const needles = [
      ...secrets,
      ...[...(secrets[0]?.matchAll(/"([A-Za-z0-9+/]{43}=)"/g) ?? [])].map(match => match[1] ?? ''),
    ]
    expect(needles).toHaveLength(4)
    const files = (await readdir(join(directory, 'Данные'), { recursive: true, withFileTypes: true })).filter(entry =>
      entry.isFile(),
    )
    const texts = await Promise.all(files.map(entry => readFile(join(entry.parentPath, entry.name), 'latin1')))
    texts.push(await readFile(`/proc/${await workerdOf(serving)}/cmdline`, 'latin1'), serving.output())
    for (const text of texts) for (const needle of needles) expect(text.includes(needle)).toBe(false)
    expect((await stat(priv)).mode & 0o777).toBe(0o700)
    for (const name of await readdir(priv)) expect((await stat(join(priv, name))).mode & 0o777).toBe(0o600)
  })

  it('starts workerd again when it dies', async () => {
    const serving = serve()
    const url = await urlOf(serving)
    const workerd = await workerdOf(serving)
    process.kill(workerd, 'SIGKILL')
    await serving.says(/The relay was ended by SIGKILL unasked\.[\s\S]*The relay runs again\./, 15_000)
    expect((await tenants(url)).tenants[0]?.hosts.total).toBe(3)
    expect(await workerdOf(serving)).not.toBe(workerd)
  })

  it('ends what a killed serve left running, before it touches the state', async () => {
    const killed = serve()
    await urlOf(killed)
    const orphan = await workerdOf(killed)
    await killed.end('SIGKILL')
    process.kill(orphan, 0)
    const serving = serve()
    await urlOf(serving)
    expect(serving.output()).toContain(`Ending process ${orphan} (relay), left over`)
    expect(await until(() => !alive(orphan), 5_000)).toBe(true)
  })

  it('refuses a data directory that another one uses', async () => {
    await urlOf(serve())
    const other = serve()
    expect(await other.ended).toBe(2)
    expect(other.output()).toContain('is in use by process')
  })

  it('says that the port is taken', async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const serving = serve(['--port', String(port)])
    expect(await serving.ended).toBe(2)
    expect(serving.output()).toContain(`Port ${port} on 127.0.0.1 is taken`)
    await new Promise(resolve => server.close(resolve))
  })

  it('says that keys are missing, unusable, or of other data', async () => {
    const first = serve()
    await urlOf(first)
    await first.end()
    const other = cli(['init', '--data', 'Данные', '--private', 'другие'])
    expect(await other.ended).toBe(0)
    const refusal = async (args: string[]) => {
      const serving = serve(args)
      expect(await serving.ended).toBe(2)
      return serving.output()
    }
    expect(await refusal(['--private', 'другие'])).toContain('do not belong to the data')
    expect(await refusal(['--private', 'нет'])).toContain('onec-relay init')
    await writeFile(join(directory, 'другие/keys.json'), '{"mac":"hunter2"}')
    const unusable = await refusal(['--private', 'другие'])
    expect(unusable).toContain('is no keyring')
    expect(unusable).not.toContain('hunter2')
  })

  it('shows the last words of a workerd that does not come up', async () => {
    await writeFile(join(directory, 'broken.js'), 'export default {')
    const serving = serve(['--bundle', 'broken.js'])
    expect(await serving.ended).toBe(2)
    expect(serving.output()).toMatch(/workerd ended with code \d+ before it listened: .*SyntaxError/)
  })
})

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
