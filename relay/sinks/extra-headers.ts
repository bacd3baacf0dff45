import * as z from 'zod'

/**
 * Headers that the protocol, the credentials or the connection set (remote write 1.0, "Protocol": a user's headers must
 * not override these). Lower case.
 */
const PROTOCOL_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'retry-attempt',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'x-prometheus-remote-write-version',
])

const MAX_HEADERS = 20

/** RFC 9110, 5.6.2. */
const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, 'this is no header name')
const headerValue = z
  .string()
  .max(4096)
  .regex(/^[\x20-\x7e]+$/, 'a header has printable ASCII characters only')

/** A user's own headers, for example `X-Scope-OrgID`. None of them may replace one that the protocol needs. */
export const extraHeaders = z.record(headerName, headerValue).superRefine((headers, context) => {
  const names = Object.keys(headers).map(name => name.toLowerCase())
  if (names.length > MAX_HEADERS) context.addIssue({ code: 'custom', message: `at most ${MAX_HEADERS} headers` })
  for (const [at, name] of names.entries()) {
    if (PROTOCOL_HEADERS.has(name))
      context.addIssue({ code: 'custom', message: `header "${name}" is set by the protocol; leave it out` })
    else if (names.indexOf(name) !== at)
      context.addIssue({ code: 'custom', message: `header "${name}" is given twice; keep one` })
  }
})
