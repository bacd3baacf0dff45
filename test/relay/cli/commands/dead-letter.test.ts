import { afterEach, beforeEach, expect, it } from 'vitest'
import { destinationTable } from '../../../../relay/cli/destination-table.ts'
import { type Cli, cliFor } from '../support/cli.ts'
import { destinationView, type FakeRelay, startFakeRelay } from '../support/fake-relay.ts'

const NOW = Date.parse('2026-11-23T09:00:00Z')
const TENANT = 'ooo-romashka'

let relay: FakeRelay
let cli: Cli

beforeEach(async () => {
  relay = await startFakeRelay()
  cli = await cliFor(relay.url)
})

afterEach(async () => {
  await cli.close()
  await relay.close()
})

const run = (...args: readonly string[]) => cli.run(['dead-letter', ...args])
const lastRequest = () => relay.requests.at(-1)

it('lists what was asked for', async () => {
  const { code, out } = await run('list', TENANT, '--destination', 'grafana', '--host', 'БУХ-1С', '--limit', '5')
  expect(code).toBe(0)
  const query = new URL(lastRequest()?.path ?? '', relay.url).searchParams
  expect(Object.fromEntries(query)).toEqual({ limit: '5', destination: 'grafana', host: 'БУХ-1С' })
  expect(out).toContain('400: duplicate label')
})

it('shows a letter whole, on lines that no far server can break', async () => {
  const { code, out } = await run('show', TENANT, '7')
  expect(code).toBe(0)
  expect(out).toContain('reason        400: duplicate label')
  expect(out).toMatch(/2026-11-23 08:59:00Z {2}onec_cpu_percent +45\.2/)
  expect(out).toContain('onec_volume_free_bytes{volume="D:"}')
  expect(out).toContain('Диск полон {"backup":"ut11"}')
  expect(out).toContain('its removal, which ends 2 series')
  expect(out).toContain('Not shown: 3 more snapshots (1,230 samples), 0 log entries.')
  expect(out).toContain(
    'Next: onec-relay dead-letter replay ooo-romashka 7, or: onec-relay dead-letter drop ooo-romashka 7',
  )
  expect(out).not.toContain('\u001b')
  expect(JSON.parse((await run('show', TENANT, '7', '--json')).out)).toMatchObject({ id: 7, batches: [{}, {}] })
})

it('shows a letter of which nothing was cut without saying so', async () => {
  const shown = JSON.parse((await run('show', TENANT, '7', '--json')).out)
  relay.answer(200, JSON.stringify({ ...shown, cut: { snapshots: 0, samples: 0, entries: 0 } }), 'application/json')
  expect((await run('show', TENANT, '7')).out).not.toContain('Not shown')
})

it.each([
  [['7'], { ids: [7] }],
  [['7', '8', '--destination', 'grafana'], { ids: [7, 8], destination: 'grafana' }],
  [['--host', 'БУХ-1С'], { host: 'БУХ-1С' }],
  [['--all'], { all: true }],
])('replays and drops %j', async (args, body) => {
  for (const verb of ['replay', 'drop']) {
    expect((await run(verb, TENANT, ...args)).code).toBe(0)
    expect(lastRequest()).toMatchObject({ method: 'POST', body })
    expect(lastRequest()?.path).toContain(`/dead-letters/${verb}`)
  }
})

it('says what was done, what was left and what comes next', async () => {
  expect((await run('replay', TENANT, '--all')).out.split('\n')).toEqual([
    '1 dead letter on the way again (41 samples).',
    '1 dead letter left: Destination "grafana" was removed. (destination_gone)',
    'Next: onec-relay destination list ooo-romashka',
  ])
  expect((await run('drop', TENANT, '--all')).out.split('\n')).toEqual([
    '2 dead letters dropped (82 samples).',
    'Next: onec-relay dead-letter list ooo-romashka',
  ])
  expect(JSON.parse((await run('replay', TENANT, '7', '--json')).out)).toEqual({ replayed: 1, samples: 41, left: [] })
  relay.answer(200, JSON.stringify({ dropped: 0, samples: 0, left: [] }), 'application/json')
  expect((await run('drop', TENANT, '--host', 'нет')).out).toContain('No dead letter fits that.')
})

it.each([
  [[], 'No dead letters were named.', 'drop ooo-romashka --all'],
  [['--all', '7'], '--all goes without', undefined],
  [['--all', '--host', 'БУХ-1С'], '--all goes without', undefined],
  [['семь'], '"семь" is not the number', 'dead-letter list ooo-romashka'],
  [['0'], '"0" is not the number', 'dead-letter list ooo-romashka'],
])('drop %j is a mistake with a way out, and asks nobody', async (args, said, next) => {
  const { code, err } = await run('drop', TENANT, ...args)
  expect(code).toBe(2)
  expect(err).toContain(said)
  expect(err).toContain(next ?? '')
  expect(relay.requests).toEqual([])
})

it('a letter that is not there is the relay’s to say', async () => {
  for (const args of [
    ['show', TENANT, '9'],
    ['drop', TENANT, '9'],
  ]) {
    const { code, err } = await run(...args)
    expect(code).toBe(2)
    expect(err).toContain('(not_found)')
  }
})

it('the table of destinations has what went for lack of room, once it did', () => {
  const of = (deadLettersDropped: number) =>
    destinationTable([destinationView({ name: 'Облако', deadLetters: 1_200, deadLettersDropped })], NOW)
  expect(of(200)).toContain('1,200 (200 dropped)')
  expect(of(0)).not.toContain('dropped)')
  const { deadLettersDropped, ...before } = destinationView({ deadLetters: 3 })
  expect(destinationTable([before as ReturnType<typeof destinationView>], NOW)).not.toContain('dropped)')
})
