import { decodeUtf8, LABEL_NAME } from './protocol.ts'

/** A group's key: its labels, `job` among them. A value that is no UTF-8 in base64 is kept as undefined. */
export type GroupLabels = Readonly<Record<string, string | undefined>>

export type PathReading =
  | { readonly kind: 'group'; readonly labels: GroupLabels }
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string; readonly location?: string }

const refused = (status: number, reason: string): PathReading => ({ kind: 'refused', status, reason })

/**
 * `/metrics/job[@base64]/<job>{/<name>[@base64]/<value>}` as Pushgateway 1.5.1 reads it (handler/push.go): on the
 * unescaped path, so that `%2F` splits a value like a slash. Undefined for any other path.
 */
export function readPushPath(rawPath: string): PathReading | undefined {
  const path = unescapePath(rawPath)
  if (path === undefined) return refused(400, 'invalid URL escape')
  if (!path.startsWith('/metrics/')) return undefined
  const clean = cleanPath(path)
  if (clean !== path) return { kind: 'refused', status: 301, reason: 'Moved Permanently', location: clean }
  const [, , jobName, rawJob, ...rest] = path.split('/')
  if ((jobName !== 'job' && jobName !== 'job@base64') || rawJob === undefined) return refused(404, '404 page not found')
  const job = jobName === 'job' ? { value: rawJob } : decodeBase64(rawJob)
  if (!job) return refused(400, `invalid base64 encoding in job name "${rawJob}"`)
  if (job.value === '') return refused(400, 'job name is required')
  const labels = readPairs(rest.length === 1 && rest[0] === '' ? [] : rest)
  return typeof labels === 'string' ? refused(400, labels) : { kind: 'group', labels: { ...labels, job: job.value } }
}

function readPairs(parts: readonly string[]): GroupLabels | string {
  if (parts.length % 2 !== 0) return `odd number of components in label string "/${parts.join('/')}"`
  const labels: Record<string, string | undefined> = {}
  for (let index = 0; index < parts.length; index += 2) {
    const [name = '', value = ''] = parts.slice(index, index + 2)
    const bare = name.replace(/@base64$/, '')
    if (!LABEL_NAME.test(bare) || bare.startsWith('__')) return `improper label name "${bare}"`
    const decoded = bare === name ? { value } : decodeBase64(value)
    if (!decoded) return `invalid base64 encoding for label ${bare}="${value}": illegal base64 data`
    labels[bare] = decoded.value
  }
  return labels
}

/** URL-safe base64, padding allowed; undefined when it is none. `value` is undefined when the bytes are no UTF-8. */
function decodeBase64(text: string): { readonly value: string | undefined } | undefined {
  const bare = text.replace(/=+$/, '')
  if (!/^[A-Za-z0-9_-]*$/.test(bare) || bare.length % 4 === 1) return undefined
  return { value: decodeUtf8(Buffer.from(bare, 'base64url')) }
}

function unescapePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

/** Go's ServeMux redirects to the path without `//`, `/./` and `/../`, a final slash kept. */
function cleanPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}${path.endsWith('/') ? '/' : ''}`
}
