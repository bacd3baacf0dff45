import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { workerdConfig } from '../../../../relay/cli/serve/workerd-config.ts'

const settings = {
  bundle: '../dist/relay/index.js',
  stateDirectory: '/srv/данные "1С"/state',
  address: '127.0.0.1:8787',
  texts: { PRIVATE_DESTINATIONS: 'allow', RELAY_ROUTES: 'https://a\\b\n' },
  secrets: ['RELAY_KEYS'],
}

describe('workerdConfig', () => {
  it('quotes as Cap’n Proto reads it', () => {
    const text = workerdConfig(settings)
    expect(text).toContain(String.raw`path = "/srv/данные \"1С\"/state"`)
    expect(text).toContain(String.raw`text = "https://a\\b\x0a"`)
  })

  it('takes secrets from the environment only', () => {
    expect(workerdConfig(settings)).toContain('(name = "RELAY_KEYS", fromEnvironment = "RELAY_KEYS")')
  })

  it('finds the objects that every release before stored', () => {
    const text = workerdConfig(settings)
    expect(text).toContain('className = "TenantObject", uniqueKey = "onec-relay-tenant-v1", enableSql = true')
    expect(text).toContain('className = "DirectoryObject", uniqueKey = "onec-relay-directory-v1", enableSql = true')
  })

  it('runs the bundle under the date that it has on Cloudflare', () => {
    const wrangler = readFileSync(new URL('../../../../wrangler.toml', import.meta.url), 'utf8')
    const [, date] = /compatibility_date = "([^"]+)"/.exec(wrangler) ?? []
    expect(workerdConfig(settings)).toContain(`compatibilityDate = "${date}"`)
  })
})
