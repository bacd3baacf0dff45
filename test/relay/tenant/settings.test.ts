import { expect, test } from 'vitest'
import { createDataKey, openDataKey } from '../../../relay/secrets/envelope.ts'
import { generateKeyring, readKeyring } from '../../../relay/secrets/keyring.ts'
import { sinkOf } from '../../../relay/sinks/index.ts'
import type { SinkDefinition } from '../../../relay/sinks/sink.ts'
import { checkSettings, mergeSettings, openSettings, sealSettings } from '../../../relay/tenant/settings.ts'
import type { DestinationRecord } from '../../../relay/tenant/store.ts'
import { NOW } from './fixtures.ts'

const PASSWORD = 'glc_пароль-1'
const SETTINGS = { url: 'https://metrics.example/api/prom/push', user: '123456', password: PASSWORD }

const sink = sinkOf('remote-write') as SinkDefinition

async function dataKeyOf(tenantId: string) {
  const keyring = readKeyring(generateKeyring())
  return openDataKey(keyring, tenantId, await createDataKey(keyring, tenantId))
}

test('good settings come back with the sink’s defaults', () => {
  expect(checkSettings(sink, SETTINGS, false)).toEqual({ ok: true, value: { ...SETTINGS, job: 'onec_backup_bot' } })
})

test.each([
  ['an unknown field', { ...SETTINGS, colour: 'red' }, /colour/],
  ['no url', { user: '123456', password: PASSWORD }, /^url: /],
  ['a bad url', { ...SETTINGS, url: 'ftp://metrics.example' }, /^url: /],
  ['a private address', { ...SETTINGS, url: 'https://10.0.0.8/' }, /^url: .*private network/],
])('%s is refused, with the place and no secret', (_, settings, detail) => {
  const result = checkSettings(sink, settings, false)
  expect(result).toMatchObject({ ok: false, code: 'destination_refused', detail: expect.stringMatching(detail) })
  expect(JSON.stringify(result)).not.toContain(PASSWORD)
})

test('an edit removes what is null and leaves what is absent', () => {
  expect(mergeSettings(SETTINGS, { user: '7', password: null })).toEqual({ url: SETTINGS.url, user: '7' })
  expect(mergeSettings(SETTINGS, {})).toEqual(SETTINGS)
})

test('secrets are sealed apart, and open only at their place and version', async () => {
  const dataKey = await dataKeyOf('romashka')
  const base = { id: 'd1', name: 'Облако', sink: 'remote-write', budget: {}, version: 3, createdAtMs: NOW }
  const headers = { 'x-scope-orgid': 'тайна-2' }
  const stored = await sealSettings(dataKey, 'romashka', sink, base, { ...SETTINGS, headers, bearerToken: undefined })
  expect(stored.settings).toEqual({ url: SETTINGS.url, user: '123456' })
  expect(Object.keys(stored.sealed)).toEqual(['password', 'headers'])
  for (const secret of [PASSWORD, 'тайна-2', Buffer.from(PASSWORD).toString('base64').slice(0, 10)])
    expect(JSON.stringify(stored)).not.toContain(secret)

  const record: DestinationRecord = { ...base, ...stored }
  expect(await openSettings(dataKey, 'romashka', record)).toEqual({ ...SETTINGS, headers })
  const elsewhere: [string, DestinationRecord][] = [
    ['drugoy', record],
    ['romashka', { ...record, version: 4 }],
    ['romashka', { ...record, id: 'd2' }],
    ['romashka', { ...record, sealed: { bearerToken: stored.sealed.password ?? '' } }],
  ]
  for (const [tenantId, other] of elsewhere)
    await expect(openSettings(dataKey, tenantId, other)).rejects.toMatchObject({ code: 'state_unreadable' })
  await expect(openSettings(await dataKeyOf('romashka'), 'romashka', record)).rejects.toThrow('does not open')
})
