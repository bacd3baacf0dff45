import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encode } from '../agent/logs/bytes.ts'
import { type Running, until } from '../support/process.ts'
import { freePort } from '../support/real-servers.ts'
import { openStack, type Stack } from '../support/stack.ts'
import { type StandIn, startStandIn } from '../support/stand-ins/stand-in.ts'

/** Lines of a host's log files in Loki: from four encodings, through a kill, a rotation and a lost reply. */

const TENANT = 'ООО Ромашка'
const HOST = 'БУХ-1С'

let stack: Stack
let loki: StandIn
let agent: Running
let folder: string

const file = (name: string) => join(folder, name)

beforeAll(async () => {
  loki = await startStandIn('loki')
  stack = await openStack(await freePort())
  folder = join(stack.folder, 'Логи 1С')
  mkdirSync(join(folder, 'rphost_1234'), { recursive: true })
  await stack.serve()
  await stack.relay('tenant', 'add', TENANT)
  await stack.relay('destination', 'add', TENANT, 'логи', '--sink', 'loki', '--url', loki.url)
  await stack.enrol('host', TENANT, undefined, HOST)
  const logFiles = [
    ...['бот.log*', 'utf16.log', 'cp866.log', 'cp1251.log'].map(name => ({
      path: file(name),
      maxLinesPerMinute: 6_000,
    })),
    { path: file('rphost_*/*.log') },
  ]
  writeFileSync(join(stack.folder, 'host.json'), JSON.stringify({ logFiles }))
  await stack.relay('host', 'configure', TENANT, HOST, join(stack.folder, 'host.json'))
  agent = stack.agent('host', 'run')
  await agent.says(/Configuration \d+ applies/, 30_000)
  await until(() => agent.output().match(/Sent \d+ metrics/g)?.[2], 15_000)
}, 90_000)

afterAll(async () => {
  await agent?.end()
  await stack?.remove()
  await loki?.stop()
}, 30_000)

const held = () =>
  [...loki.series().values()]
    .filter(({ labels }) => labels.host === HOST && labels.source === undefined)
    .flatMap(({ labels, samples }) =>
      samples.flatMap(sample => (sample.fields?.file === undefined ? [] : [{ ...sample, level: labels.level }])),
    )

async function linesOf(name: string, count: number) {
  const lines = () => held().filter(({ fields }) => fields?.file?.startsWith(file(name)))
  await until(() => lines().length >= count, 40_000, 200)
  return lines()
}

test.each([
  ['utf16.log', 'utf-16le'],
  ['cp866.log', 'cp866'],
  ['cp1251.log', 'cp1251'],
] as const)(
  '%s is read as what it is',
  async (name, encoding) => {
    const line = 'ОШИБКА: архив базы Зарплата не создан, ещё одна попытка'
    appendFileSync(file(name), encode(`${line}\r\nВторая строка\r\n`, encoding))
    const lines = await linesOf(name, 2)
    expect(lines.map(({ level, value }) => [level, value])).toEqual([
      ['error', line],
      ['info', 'Вторая строка'],
    ])
  },
  60_000,
)

test('an event of the technological log is one entry with its fields', async () => {
  const now = new Date()
  const pad = (value: number) => String(value).padStart(2, '0')
  const hour = [now.getFullYear() % 100, now.getMonth() + 1, now.getDate(), now.getHours()].map(pad).join('')
  const event = `${pad(now.getMinutes())}:${pad(now.getSeconds())}.123456-0,EXCP,2,process=rphost,Usr=Иванов,Descr='Нет
соединения: Srvr=srv;Pwd=секрет;'`
  writeFileSync(file(`rphost_1234/${hour}.log`), `\ufeff${event}\r\n`)
  const [entry] = await linesOf('rphost_1234', 1)
  expect(entry).toMatchObject({
    level: 'error',
    value: event.replace('секрет', '***'),
    fields: { event: 'EXCP', Usr: 'Иванов' },
  })
  expect(entry?.atMs).toBe(Math.floor(now.getTime() / 1_000) * 1_000 + 123)
}, 60_000)

test('every line arrives once through a rotation, a kill and a lost reply', async () => {
  const line = (index: number) => `2024-01-01 12:00:00,123 - INFO - строка ${index}`
  const write = (from: number, to: number) =>
    appendFileSync(file('бот.log'), Array.from({ length: to - from }, (_, at) => `${line(from + at)}\n`).join(''))
  write(0, 100)
  await linesOf('бот.log', 50)
  write(100, 200)
  process.kill(agent.pid, 'SIGKILL')
  await agent.ended
  renameSync(file('бот.log'), file('бот.log.1'))
  write(200, 300)
  loki.behave({ kind: 'drop-after-store', times: 1 })
  agent = stack.agent('host', 'run')
  write(300, 400)
  const lines = await linesOf('бот.log', 400)
  const numbers = lines.map(({ value }) => Number(String(value).split(' ').at(-1))).toSorted((a, b) => a - b)
  expect(numbers).toEqual(Array.from({ length: 400 }, (_, index) => index))
  expect(loki.defects()).toEqual([])
}, 90_000)
