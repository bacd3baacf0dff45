import { describe, expect, it } from 'vitest'
import { FINDING_CODES, type Finding, finding } from '../../../agent/doctor/finding.ts'
import { renderReport, reportJson } from '../../../agent/doctor/render.ts'
import { CATALOGUES } from '../../../agent/doctor/text/catalogue.ts'
import { fill, formatBytes, formatDuration } from '../../../agent/doctor/text/fill.ts'
import { judge } from '../../../agent/verdict.ts'
import { healthy, hostTroubles, inOrder, NOW_MS, relayTroubles } from './findings.ts'

const strangerReason = (status: number) => {
  const verdict = judge({ status, retryAfter: null, body: '<html>' }, 'id', NOW_MS)
  return verdict.kind === 'retry' ? verdict.reason : verdict.kind
}
const LANGUAGES = ['en', 'ru'] as const
const paramsIn = (text = '') => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
const reportOf = (findings: readonly Finding[]) => ({ version: '1.0.0', hostname: 'БУХ-1С', atMs: NOW_MS, findings })
const all = () => [...relayTroubles(), ...hostTroubles(), ...inOrder()]

describe('the texts', () => {
  it.each(FINDING_CODES)('of %s say the same in both languages, with the same params', code => {
    const [en, ru] = [CATALOGUES.en.findings[code], CATALOGUES.ru.findings[code]]
    for (const part of ['what', 'why', 'todo'] as const) {
      expect([part, ru[part] === undefined]).toEqual([part, en[part] === undefined])
      expect(new Set(paramsIn(ru[part]))).toEqual(new Set(paramsIn(en[part])))
    }
    if (finding(code).severity === 'ok') expect(en.todo).toBeUndefined()
    else expect(en.todo).toMatch(/\w/)
    expect(ru.what).toMatch(/[а-яё]/i)
  })

  it('have the same words besides', () => {
    const shapeOf = (value: unknown): unknown =>
      typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shapeOf(each)]))
        : new Set(paramsIn(String(value)))
    expect(shapeOf(CATALOGUES.ru.words)).toEqual(shapeOf(CATALOGUES.en.words))
  })

  it.each(LANGUAGES)('are filled whole by every rule, in %s', language => {
    const { findings, words } = CATALOGUES[language]
    for (const { code, params } of all())
      for (const text of Object.values(findings[code])) {
        expect([code, paramsIn(text).filter(name => !(name in params))]).toEqual([code, []])
        expect(fill(text, params, { words, timeZone: 'UTC' })).not.toMatch(/undefined|NaN|\{\w+\}/)
      }
  })
})

it('every code comes out of some rule', () => {
  const found = new Set(all().map(({ code }) => code))
  expect(FINDING_CODES.filter(code => !found.has(code))).toEqual([])
})

describe.each(LANGUAGES)('a report in %s', language => {
  const options = { language, timeZone: 'Europe/Moscow' }
  it.each([
    ['healthy', healthy],
    ['relay', relayTroubles],
    ['host', hostTroubles],
  ])('of the kind "%s" reads as it should, in 80 columns', async (name, findings) => {
    const text = renderReport(reportOf(findings()), options)
    expect(text.split('\n').filter(line => line.length > 80)).toEqual([])
    await expect(`${text}\n`).toMatchFileSnapshot(`../../golden/agent/doctor-${name}.${language}.txt`)
  })

  it('is the same for a program', () => {
    const json = reportJson(reportOf(relayTroubles()), options)
    expect(json).toMatchObject({ ok: false, version: '1.0.0', findings: expect.any(Array) })
    expect(json.findings[0]).toEqual({
      code: 'route.dns',
      severity: 'error',
      what: expect.stringContaining('https://relay.example'),
      why: expect.any(String),
      todo: expect.stringContaining('nslookup relay.example'),
      elapsedMs: null,
      params: expect.objectContaining({ route: 'https://relay.example', host: 'relay.example', port: '443' }),
    })
    expect(reportJson(reportOf(healthy()), options).ok).toBe(true)
  })
})

it.each([
  ['token_revoked: This token was revoked.', 'токен отозван (This token was revoked.)'],
  ['stalled: ', 'отправка зависла; перезапустите службу'],
  [strangerReason(200), 'отвечает не ретранслятор: прокси, страница входа в сеть или неверный адрес (HTTP 200)'],
  [strangerReason(302), 'ответ ведёт в другое место, ретранслятор так не делает: проверьте адрес (HTTP 302)'],
])('the agent’s reason "%s" is said in Russian', (reason, text) =>
  expect(fill('{reason}', { reason }, CATALOGUES.ru)).toBe(text),
)

describe('numbers', () => {
  it.each([
    [0.2, '< 1 ms'],
    [45.4, '45 ms'],
    [1_250, '1.3 s'],
    [65_000, '1 min 5 s'],
    [3_600_000, '1 h'],
    [100 * 3_600_000, '4 d 4 h'],
  ])('%d ms is %s', (ms, text) => expect(formatDuration(ms, CATALOGUES.en.words)).toBe(text))
  it.each([
    [0, '0 байт'],
    [1_536, '1,5 КБ'],
    [42 * 1024 ** 3, '42 ГБ'],
    [2_000 * 1024 ** 4, '2000 ТБ'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes, CATALOGUES.ru.words)).toBe(text))
})

it('nothing that comes from elsewhere steers the terminal', () => {
  const evil = [finding('config.damaged', { reason: 'a\u001b[2Jb\u0007\u202e' })]
  expect(renderReport(reportOf(evil), { language: 'en' })).not.toMatch(/[\u001b\u0007\u202e]/)
})
