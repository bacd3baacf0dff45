import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cli, cliFor } from './support/cli.ts'
import { type FakeRelay, startFakeRelay } from './support/fake-relay.ts'

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

const lastRequest = () => relay.requests.at(-1)

describe('reading commands', () => {
  it.each([
    [['tenant', 'list'], 'tenants'],
    [['host', 'list', 'ооо'], undefined],
    [['host', 'list', 'ООО Ромашка'], 'hosts'],
    [['host', 'show', 'ooo-romashka', 'БУХ-1С'], 'backups'],
    [['destination', 'list', 'ooo-romashka'], 'destinations'],
    [['event', 'list', 'ooo-romashka', '--limit', '5'], 'events'],
    [['dead-letter', 'list', 'ooo-romashka'], 'deadLetters'],
  ])('%j --json prints the answer of the API', async (args, key) => {
    const run = await cli.run([...args, '--json'])
    expect(run.code).toBe(key === undefined ? 2 : 0)
    if (key !== undefined) expect(JSON.parse(run.out)).toHaveProperty(key)
    else expect(run.err).toContain('(not_found)')
  })

  it('lines columns up under Cyrillic names', async () => {
    const run = await cli.run(['tenant', 'list'])
    expect(run.out).toBe(
      [
        'NAME         ID            HOSTS  UP  LATE  DOWN  PENDING  DISABLED',
        'ООО Ромашка  ooo-romashka  2      1   1     0     0        0',
      ].join('\n'),
    )
  })

  it('shows a host with its backups', async () => {
    const { out } = await cli.run(['host', 'show', 'ooo-romashka', 'БУХ-1С'])
    expect(out).toContain('SRV-1C, Windows Server 2022')
    expect(out).toContain('site=Склад')
    expect(out).toMatch(/Зарплата 3\.1 {2}ok {5}2 h ago {4}4\.7 GB {2}10 min/)
  })

  it('shows a wrong clock and copies that are kept out, with what to do', async () => {
    const { out: list } = await cli.run(['host', 'list', 'ooo-romashka'])
    expect(list.split('\n').map(line => line.split(/ {2,}/))).toEqual([
      ['NAME', 'ID', 'STATE', 'FOR', 'SEEN', 'SKEW', 'CORRECTED', 'SPOOLED', 'AGENT'],
      ['БУХ-1С', 'h1', 'up, cloned', '60 min', '12 s ago', '7200.3 s', '7200.0 s', '0', '0.1.0'],
    ])
    const { out: shown } = await cli.run(['host', 'show', 'ooo-romashka', 'БУХ-1С'])
    expect(shown).toMatch(/corrected by +7200\.0 s; set the clock: w32tm \/resync/)
    expect(shown).toMatch(/copy kept out +spool AAAAAAAAAAAAAAA8; on the copy: onec-agent enrol … --name NEW-NAME/)
    expect(shown).toContain('boot 29923478 of spool AAAAAAAAAAAAAAAA')
  })

  it('keeps an event on one line', async () => {
    const { out } = await cli.run(['event', 'list', 'ooo-romashka'])
    expect(out.split('\n')).toHaveLength(2)
    expect(out).toContain('БУХ-1С is down since 09:00')
  })
})

describe('commands that change something', () => {
  it('adds a tenant and says what comes next', async () => {
    const { out } = await cli.run(['tenant', 'add', 'ООО Ромашка'])
    expect(lastRequest()?.body).toEqual({ name: 'ООО Ромашка' })
    expect(out).toContain('Next: onec-relay enrol create ooo-romashka')
  })

  it('makes an enrolment code and prints the command for the host', async () => {
    const { out } = await cli.run([
      'enrol',
      'create',
      'ООО Ромашка',
      '--uses',
      '3',
      '--expires',
      '7d',
      '--note',
      'склад',
    ])
    expect(lastRequest()?.body).toEqual({ uses: 3, expiresInMs: 604_800_000, note: 'склад' })
    expect(out).toContain(`onec-agent enrol --relay ${relay.url} --code 096C-66SY-14VG-113B`)
  })

  it('prints what is set for a host, and sets it whole from a file or standard input', async () => {
    const { out: before } = await cli.run(['host', 'config', 'ooo-romashka', 'БУХ-1С'])
    expect(JSON.parse(before)).toEqual({ labels: { site: 'Склад' } })
    const config = { intervalMs: 30_000, backups: [{ name: 'Зарплата 3.1', directory: 'D:\\Архив', pattern: '*.dt' }] }
    await writeFile(join(cli.directory, 'хост.json'), `\ufeff${JSON.stringify(config)}`)
    const { out } = await cli.run(['host', 'configure', 'ooo-romashka', 'БУХ-1С', 'хост.json'])
    expect(out).toContain('Configuration 8 of БУХ-1С is set')
    const path = '/v1/admin/tenants/ooo-romashka/hosts/БУХ-1С/config'
    expect(lastRequest()).toEqual({ method: 'PUT', path, body: config })
    await cli.run(['host', 'configure', 'ooo-romashka', 'БУХ-1С', '-'], { stdin: '{}' })
    expect(lastRequest()).toEqual({ method: 'PUT', path, body: {} })
  })

  it.each([
    ['нет.json', '', /нет\.json cannot be read: ENOENT/],
    ['-', '{"intervalMs":', /Standard input is not JSON/],
    ['-', '{"intervall":1}', /request_invalid/],
  ])('a configuration from %s that is none is refused, and nothing is set', async (file, stdin, said) => {
    const run = await cli.run(['host', 'configure', 'ooo-romashka', 'БУХ-1С', file], { stdin })
    expect(run.code).toBe(2)
    expect(run.err).toMatch(said)
  })

  it('removes a host', async () => {
    const { out } = await cli.run(['host', 'remove', 'ooo-romashka', 'БУХ-1С'])
    expect(lastRequest()).toMatchObject({ method: 'DELETE', path: '/v1/admin/tenants/ooo-romashka/hosts/БУХ-1С' })
    expect(out).toContain('Removed host БУХ-1С, id h1.')
  })

  it('a test that is not taken ends with code 1 and the reason, without terminal control', async () => {
    await cli.run(['destination', 'add', 'ooo-romashka', 'grafana', '--sink', 'loki', '--url', 'https://logs.example'])
    const { code, err } = await cli.run(['destination', 'test', 'ooo-romashka', 'grafana'])
    expect(code).toBe(1)
    expect(err).toContain('grafana did not take the test (suspended): 401: invalid API key')
    expect(err).not.toContain('\u001b')
  })

  it('suspends, resumes and removes a destination', async () => {
    await cli.run(['destination', 'add', 'ooo-romashka', 'grafana', '--sink', 'loki', '--url', 'https://logs.example'])
    expect((await cli.run(['destination', 'suspend', 'ooo-romashka', 'grafana'])).out).toContain(
      'grafana is suspended: an operator.',
    )
    expect((await cli.run(['destination', 'resume', 'ooo-romashka', 'grafana'])).out).toContain('grafana is active.')
    expect((await cli.run(['destination', 'remove', 'ooo-romashka', 'grafana'])).out).toContain(
      'Removed destination grafana',
    )
    expect(relay.destinations).toEqual([])
  })
})

describe('destination add and edit', () => {
  const add = ['destination', 'add', 'ООО Ромашка', 'grafana', '--sink', 'remote-write', '--url', 'https://p.example']

  it('reads secrets from a file and from standard input', async () => {
    await writeFile(join(cli.directory, 'headers.json'), '{"X-Scope-OrgID":"romashka"}')
    const args = [
      '--user',
      '123456',
      '--password',
      '-',
      '--secret',
      'headers=file:headers.json',
      '--set',
      'job=backups',
    ]
    const run = await cli.run([...add, ...args], { stdin: 'секрет\n' })
    expect(run).toMatchObject({ code: 0, err: '' })
    expect(lastRequest()?.body).toEqual({
      name: 'grafana',
      sink: 'remote-write',
      settings: {
        url: 'https://p.example',
        user: '123456',
        password: 'секрет',
        headers: { 'X-Scope-OrgID': 'romashka' },
        job: 'backups',
      },
    })
    expect(run.out).not.toContain('секрет')
  })

  it.each([
    ['an option', ['--password', 'hunter2'], '`--password file:PATH`'],
    ['an option with =', ['--password=hunter2'], '`--password file:PATH`'],
    ['--set', ['--set', 'password=hunter2'], '`--secret password=file:PATH`'],
    ['--secret', ['--secret', 'password=hunter2'], '`--secret password=file:PATH`'],
    ['--secret without a key', ['--secret', 'hunter2'], 'key=value'],
    ['a misspelt option', ['--passwort=hunter2'], "unknown option '--passwort=…'"],
    ['JSON that is none', ['--set', 'headers=hunter2'], '`--secret headers=file:PATH`'],
  ])('refuses a bare secret in %s and does not repeat it', async (_, args, hint) => {
    const { code, out, err } = await cli.run([...add, ...args])
    expect(code).toBe(2)
    expect(err).toContain(hint)
    expect(out + err).not.toContain('hunter2')
    expect(relay.requests).toEqual([])
  })

  it('asks standard input for one secret only', async () => {
    const { code, err } = await cli.run([...add, '--password', '-', '--bearer-token', '-'], { stdin: 'x' })
    expect(code).toBe(2)
    expect(err).toContain('--password and --bearer-token both ask for standard input')
  })

  it('knows which settings a sink has', async () => {
    const { code, err } = await cli.run([...add, '--bucket', 'onec'])
    expect(code).toBe(2)
    expect(err).toContain('The sink remote-write has no setting "bucket".')
    expect(err).toContain('bearerToken')
    expect((await cli.run(['destination', 'add', 't', 'n', '--sink', 'kafka'])).err).toContain(
      'remote-write, pushgateway',
    )
  })

  it('edits by name what is named, and takes settings away', async () => {
    await cli.run([...add, '--user', '1', '--password', '-'], { stdin: 'a' })
    const run = await cli.run([
      'destination',
      'edit',
      'ООО Ромашка',
      'grafana',
      '--name',
      'графана',
      '--unset',
      'password',
      '--allow-http',
    ])
    expect(run.out).toContain('Changed destination графана (remote-write), now version 2.')
    expect(lastRequest()?.body).toEqual({ name: 'графана', settings: { allowHttp: true, password: null } })
    expect((await cli.run(['destination', 'edit', 'ООО Ромашка', 'графана'])).err).toContain('Nothing to change')
    expect((await cli.run(['destination', 'edit', 'ООО Ромашка', 'нет', '--user', 'x'])).err).toContain(
      'no destination "нет"',
    )
  })
})

describe('budgets', () => {
  const add = ['destination', 'add', 'ООО Ромашка', 'логи', '--sink', 'loki', '--url', 'https://logs.example']
  const edit = ['destination', 'edit', 'ООО Ромашка', 'логи']

  it('are set with a destination, each bound by itself', async () => {
    await cli.run([...add, '--budget-age', '6h', '--budget-size', '128MB'])
    expect(lastRequest()?.body).toMatchObject({ budget: { ageMs: 21_600_000, bytes: 134_217_728 } })
    await cli.run([...add, '--budget-age', '1m', '--budget-size', 'default'])
    expect(lastRequest()?.body).toMatchObject({ budget: { ageMs: 60_000 } })
    await cli.run([...add, '--budget-age', 'default'])
    expect(lastRequest()?.body).not.toHaveProperty('budget')
  })

  it('are edited by name, go back to the default, and are shown', async () => {
    await cli.run(add)
    expect(await cli.run([...edit, '--budget-size', '1GB'])).toMatchObject({ code: 0, err: '' })
    expect(lastRequest()?.body).toEqual({ budget: { bytes: 1_073_741_824 } })
    await cli.run([...edit, '--budget-age', 'default'])
    expect(lastRequest()?.body).toEqual({ budget: { ageMs: null } })
    const { out } = await cli.run(['destination', 'list', 'ООО Ромашка', '--json'])
    expect(JSON.parse(out).destinations).toMatchObject([{ budget: { ageMs: 86_400_000, bytes: 67_108_864 } }])
  })

  it.each([
    ['--budget-age', '59s', '--budget-age is "59s". Next: It takes 60 s to 7 d, for example 6h, or "default".'],
    ['--budget-age', '8d', 'It takes 60 s to 7 d'],
    ['--budget-age', '6', 'It takes 60 s to 7 d'],
    [
      '--budget-size',
      '63KB',
      '--budget-size is "63KB". Next: It takes 64.0 KB to 1.0 GB, for example 128MB, or "default".',
    ],
    ['--budget-size', '1025MB', 'It takes 64.0 KB to 1.0 GB'],
    ['--budget-size', '1000000', 'It takes 64.0 KB to 1.0 GB'],
  ])('%s %s is refused before the relay is asked', async (option, value, said) => {
    const { code, err } = await cli.run([...edit, option, value])
    expect(code).toBe(2)
    expect(err.replace(/\s+/g, ' ')).toContain(said)
    expect(relay.requests).toEqual([])
  })
})

describe('destination import-env', () => {
  it('adds, leaves alone, and edits what changed', async () => {
    const file = join(cli.directory, 'seed.env')
    const load = (password: string) =>
      writeFile(file, `GRAFANA_LOKI_URL=https://logs.example\nGRAFANA_LOKI_USER=1\nGRAFANA_LOKI_PASSWORD=${password}\n`)
    const run = async () =>
      (await cli.run(['destination', 'import-env', 'ООО Ромашка', '--file', 'seed.env', '--json'])).out
    const done = async () => JSON.parse(await run()).destinations[0].did
    await load('one')
    expect(await done()).toBe('added')
    expect(await done()).toBe('unchanged')
    expect(relay.destinations[0]?.version).toBe(1)
    await load('two')
    expect(await done()).toBe('edited')
    expect(relay.destinations[0]).toMatchObject({ version: 2, secrets: ['password'] })
  })

  it('takes the environment when no file is named', async () => {
    const variables = { PROMETHEUS_PUSHGATEWAY_URL: 'http://127.0.0.1:9091', INFLUXDB_TOKEN: 'сирота' }
    const run = await cli.run(['destination', 'import-env', 'ooo-romashka'], { variables })
    expect(run.out).toMatch(/pushgateway {2}pushgateway {2}PROMETHEUS_PUSHGATEWAY_URL {2}added/)
    expect(run.err).toBe('Warning: INFLUXDB_TOKEN has no effect without INFLUXDB_URL.')
  })

  it('names the variable and the way out, never a value', async () => {
    const variables = {
      GRAFANA_LOKI_URL: 'http://loki.example',
      GRAFANA_LOKI_USER: 'u',
      GRAFANA_LOKI_PASSWORD: 'hunter2',
    }
    const { code, err } = await cli.run(['destination', 'import-env', 'ooo-romashka'], { variables })
    expect(code).toBe(2)
    expect(err).toContain('GRAFANA_LOKI_URL')
    expect(err).toContain('RELAY_ALLOW_HTTP=1')
    expect(err).not.toContain('hunter2')
    expect((await cli.run(['destination', 'import-env', 'ooo-romashka', '--allow-http'], { variables })).code).toBe(0)
    expect((await cli.run(['destination', 'import-env', 'ooo-romashka'])).err).toContain('names a destination')
  })
})

describe('when it does not work', () => {
  it.each([
    ['a page of a proxy', 200, '<html>hello</html>', 'text/html', 'not as an onec-relay does'],
    ['a gateway error', 502, 'Bad Gateway', 'text/plain', 'answered 502'],
    ['a stranger’s JSON', 403, '{"error":"nope"}', 'application/json', 'answered 403'],
    ['a redirect', 302, '', 'text/html', 'answered 302'],
  ])('%s is told from the relay', async (_, status, body, contentType, expected) => {
    relay.answer(status, body, contentType)
    const { code, err } = await cli.run(['tenant', 'list'])
    expect(code).toBe(2)
    expect(err).toContain(expected)
  })

  it('prints the problem with its code and what to do', async () => {
    await writeFile(join(cli.directory, 'operator.token'), 'oop1.other')
    const { code, err } = await cli.run(['tenant', 'list'])
    expect(code).toBe(2)
    expect(err).toContain('(token_invalid)')
    expect(err).toContain('Next: Check that ONEC_RELAY_TOKEN_FILE')
    expect(err).not.toContain('oop1.other')
  })

  it('says that nobody answers, and how to start a relay', async () => {
    await relay.close()
    const { code, err } = await cli.run(['tenant', 'list'])
    expect(code).toBe(2)
    expect(err).toContain('ECONNREFUSED')
    expect(err).toContain('npm start')
  })

  it.each([
    [{ ONEC_RELAY_TOKEN_FILE: '' }, 'ONEC_RELAY_TOKEN_FILE is not set'],
    [{ ONEC_RELAY_TOKEN_FILE: 'нет.token' }, 'cannot be read: ENOENT'],
    [{ ONEC_RELAY_URL: 'http://relay.example' }, 'plain http to another machine'],
    [{ ONEC_RELAY_URL: 'relay.example' }, 'not an http(s) URL'],
  ])('%j is a mistake with a way out', async (variables, expected) => {
    const { code, err } = await cli.run(['tenant', 'list'], { variables })
    expect(code).toBe(2)
    expect(err).toContain(expected)
    expect(err).toContain('Next: ')
  })

  it.each([[['tenant', 'lsit']], [['nothing']], [['host', 'show', 'one']], [['tenant', 'list', '--jso']]])(
    '%j is a usage error',
    async args => {
      expect((await cli.run(args)).code).toBe(2)
    },
  )
})
