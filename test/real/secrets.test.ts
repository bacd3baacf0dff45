import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, until } from '../support/process.ts'
import { freePort } from '../support/real-servers.ts'
import { openStack, type Stack } from '../support/stack.ts'
import { type StandIn, startStandIn } from '../support/stand-ins/stand-in.ts'

/** No credential of a destination and no host token is in the data directory, a log, an API answer or a command line. */

const TENANT = 'ООО Ромашка'
const PASSWORD = 'canary-Пароль-7Qp2wXz9'
const TOKEN = 'canary-token-4Tg8vBn3Kd1'
const HEADER = 'canary-header-9Jm5rLs6'

let stack: Stack
let agent: Running
const standIns: StandIn[] = []
let hostToken: string
const answers: string[] = []

beforeAll(async () => {
  stack = await openStack(await freePort())
  await stack.serve()
  await stack.relay('tenant', 'add', TENANT)
  const secret = async (name: string, text: string) => {
    const path = join(stack.folder, name)
    await writeFile(path, text)
    return `file:${path}`
  }
  /** A sink that refuses everybody, and says so with the secret it was given. */
  const add = async (name: string, said: string, ...rest: string[]) => {
    const standIn = await startStandIn('remote-write')
    standIns.push(standIn)
    standIn.behave({ kind: 'status', status: 401, body: `no such user: grafana / ${said}` })
    answers.push(await stack.relay('destination', 'add', TENANT, name, '--url', standIn.url, '--json', ...rest))
  }
  const password = await secret('password', PASSWORD)
  await add('basic', PASSWORD, '--sink', 'remote-write', '--user', 'grafana', '--password', password)
  const token = await secret('token', TOKEN)
  await add('token', TOKEN, '--sink', 'influxdb', '--set', 'org=o', '--set', 'bucket=b', '--token', token)
  const headers = await secret('headers', JSON.stringify({ 'x-api-key': HEADER }))
  await add('headers', HEADER, '--sink', 'remote-write', '--secret', `headers=${headers}`)
  await stack.enrol('БУХ-1С', TENANT)
  hostToken = (await readFile(join(stack.folder, 'БУХ-1С', 'token'), 'utf8')).trim()
  agent = stack.agent('БУХ-1С', 'run')
}, 60_000)

afterAll(async () => {
  await agent?.end()
  await stack?.remove()
  await Promise.all(standIns.map(standIn => standIn.stop()))
}, 30_000)

/** Everything that could give a secret away, by name. */
async function everything(): Promise<Map<string, Buffer>> {
  const places = new Map<string, Buffer>()
  const data = join(stack.folder, 'data')
  for (const entry of await readdir(data, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name)
      places.set(path, await readFile(path))
    }
  places.set('log of the relay', Buffer.from(stack.relayOutput()))
  places.set('log of the agent', Buffer.from(agent.output()))
  for (const [index, answer] of answers.entries()) places.set(`answer ${index}`, Buffer.from(answer))
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args'])
  places.set('command lines', Buffer.from(stdout))
  return places
}

/** As text, base64 at each of the three offsets, and hex. */
function forms(secret: string): Buffer[] {
  const bytes = Buffer.from(secret)
  const encoded = [0, 1, 2].flatMap(offset => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    // The ends depend on what stands beside it.
    const middle = text.slice(offset === 0 ? 0 : 4, text.length - 4)
    return [middle, middle.replaceAll('+', '-').replaceAll('/', '_')]
  })
  return [secret, ...encoded, bytes.toString('hex')].map(text => Buffer.from(text))
}

function found(places: ReadonlyMap<string, Buffer>, secrets: readonly string[]): string[] {
  return [...places].flatMap(([name, bytes]) =>
    secrets
      .filter(secret => forms(secret).some(form => bytes.includes(form)))
      .map(secret => `${secret.slice(0, 8)}… in ${name}`),
  )
}

test('a search finds none of them, and finds a planted canary', async () => {
  const suspended = await until(
    async () => {
      const list = await stack.relay('destination', 'list', TENANT, '--json')
      answers.push(list)
      return JSON.parse(list).destinations.every(({ state }: { state: string }) => state === 'suspended')
    },
    30_000,
    1_000,
  )
  expect(suspended, stack.relayOutput()).toBe(true)
  for (const noun of ['host', 'event', 'dead-letter']) answers.push(await stack.relay(noun, 'list', TENANT, '--json'))
  answers.push(await stack.relay('host', 'show', TENANT, 'БУХ-1С', '--json'))
  answers.push(await stack.relay('destination', 'test', TENANT, 'basic', '--json').catch(String))
  // The reason is there, in the server's words, with what it gave away taken out.
  expect(answers.join()).toContain('no such user: grafana / [redacted]')

  const secretPart = hostToken.split('.').at(5) ?? ''
  expect(secretPart).toHaveLength(43)
  const secrets = [PASSWORD, TOKEN, HEADER, hostToken, secretPart]
  const places = await everything()
  expect(found(places, secrets)).toEqual([])

  for (const plant of [PASSWORD, `x${Buffer.from(TOKEN).toString('base64')}`, Buffer.from(HEADER).toString('hex')]) {
    await writeFile(join(stack.folder, 'data', 'planted'), `noise ${plant} noise`)
    expect(found(await everything(), secrets)).toHaveLength(1)
  }
}, 90_000)
