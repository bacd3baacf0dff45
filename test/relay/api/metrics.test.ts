import { expect, test } from 'vitest'
import { setUp } from './fakes.ts'

/** A relay with these tenants, and what a scrape of it gives. */
async function withTenants(...names: string[]) {
  const relay = await setUp()
  for (const name of names) relay.directory.addTenant({ name }, 'root')
  const scrape = async (token: string | null) => {
    const { status, headers, body } = await relay.ask(token, 'GET', '/metrics')
    const text = String(body.text)
    const success = [...text.matchAll(/^onec_tenant_scrape_success\{tenant="(.*)"\} ([01])$/gm)]
    return { status, headers, body, text, success: success.map(([, tenant, value]) => `${tenant} ${value}`) }
  }
  return { ...relay, scrape }
}

test('an operator who may read gets the text format, every series after its help and type', async () => {
  const { scrape, signIn } = await withTenants('ООО Ромашка')
  const { status, headers, text } = await scrape(await signIn('viewer'))
  expect(status).toBe(200)
  expect(headers.get('Content-Type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(headers.get('Cache-Control')).toBe('no-store')
  expect(text).toBe(
    [
      '# HELP onec_host_up Whether the host posts on time: 1 up or late, 0 down.',
      '# TYPE onec_host_up gauge',
      'onec_host_up{instance="БУХ-1С",tenant="ООО \\"Ромашка\\""} 1',
      '# HELP onec_dead_letters_total Dead letters written.',
      '# TYPE onec_dead_letters_total counter',
      'onec_dead_letters_total{destination="Логи"} 3',
      '# HELP onec_tenant_scrape_success Whether the object of the tenant answered this scrape in time; GET /metrics alone.',
      '# TYPE onec_tenant_scrape_success gauge',
      'onec_tenant_scrape_success{tenant="ООО Ромашка"} 1',
      '',
    ].join('\n'),
  )
})

test('without a good token nothing is asked', async () => {
  const { scrape, tenant } = await withTenants('ООО Ромашка')
  for (const [token, code] of [
    [null, 'token_missing'],
    ['x', 'token_invalid'],
  ] as const) {
    const { status, headers, body } = await scrape(token)
    expect({ status, code: body.code }).toEqual({ status: 401, code })
    expect(headers.get('Content-Type')).toBe('application/problem+json')
  }
  expect(tenant('ooo-romashka:0').calls).toEqual([])
})

test('an operator of some tenants sees those', async () => {
  const { scrape, signIn, tenant } = await withTenants('ООО Ромашка', 'ООО Лютик')
  expect((await scrape(await signIn('viewer', ['ooo-lyutik']))).success).toEqual(['ООО Лютик 1'])
  expect(tenant('ooo-romashka:0').calls).toEqual([])
})

test('one that fails and one that hangs cost the others nothing', async () => {
  const names = ['ООО Ромашка', 'ООО Лютик', 'ИП Иванов', 'АО Пион']
  const { scrape, signIn, tenant } = await withTenants(...names)
  tenant('ooo-romashka:0').hangs = true
  tenant('ooo-lyutik:0').failure = new Error('the state cannot be read')
  const { status, success } = await scrape(await signIn('viewer'))
  expect(status).toBe(200)
  expect(success.toSorted()).toEqual(['АО Пион 1', 'ИП Иванов 1', 'ООО Лютик 0', 'ООО Ромашка 0'])
})

test('when many hang the scrape ends in time, and says so of every tenant', async () => {
  const names = Array.from({ length: 40 }, (_, index) => `ООО ${index + 10}`)
  const { scrape, signIn, tenant } = await withTenants(...names)
  for (const name of names) tenant(`${name.replace('ООО ', 'ooo-')}:0`).hangs = true
  const { success } = await scrape(await signIn('admin'))
  expect(success.toSorted()).toEqual(names.map(name => `${name} 0`))
  // Two at once, all of them would have taken a second.
  const asked = names.filter(name => tenant(`${name.replace('ООО ', 'ooo-')}:0`).calls.length > 0)
  expect(asked.length).toBeLessThan(names.length)
})
