import { Buffer } from 'node:buffer'

/** What a stand-in asks for: `Authorization: Basic`, `Bearer` or InfluxDB's `Token`. */
export type Credentials =
  | { readonly scheme: 'basic'; readonly user: string; readonly password: string }
  | { readonly scheme: 'bearer' | 'token'; readonly token: string }

/** Whether an `Authorization` header carries them. Schemes are case-insensitive (RFC 9110, 11.1). */
export function authorizes(header: string | undefined, credentials: Credentials): boolean {
  const [, scheme = '', rest = ''] = /^(\S+) +(.*)$/.exec(header ?? '') ?? []
  if (scheme.toLowerCase() !== credentials.scheme) return false
  if (credentials.scheme !== 'basic') return rest === credentials.token
  return Buffer.from(rest, 'base64').toString('utf8') === `${credentials.user}:${credentials.password}`
}

/** What may be remembered of an `Authorization` header: its scheme. */
export function redactAuthorization(header: string | undefined): string | undefined {
  return header === undefined ? undefined : `${header.split(' ', 1)[0]} …`
}
