import * as z from 'zod'
import { RELAY_VERSION } from '../version.ts'

/** `job` of what hosts send, as the seed guide has it. */
export const DEFAULT_JOB = 'onec_backup_bot'

/** Sent with every request: a backend's operator sees who writes. */
export const USER_AGENT = `onec-relay/${RELAY_VERSION}`

export const PRINTABLE = /^[^\p{Cc}\p{Cs}]+$/u
/** A parameter whose name says that it is a credential: the URL is shown and logged. */
const SECRET_PARAMETER = /^(u|p)$|user|pass|token|secret|key|auth|credential/i

/** Text for a label, a tag or a name: any script, no control characters. */
export const nameText = z.string().min(1).max(256).regex(PRINTABLE, 'control characters are not allowed')

export const jobLabel = nameText.default(DEFAULT_JOB)

/** Zod's refinement context, as far as it is used. */
export interface Refinement {
  addIssue(issue: { code: 'custom'; message: string; path?: string[] }): void
}

export function refuseField(context: Refinement, field: string, message: string): void {
  context.addIssue({ code: 'custom', message, path: [field] })
}

/** An http or https URL without credentials. */
export const httpUrl = z.string().max(2048).superRefine(checkUrl)

/** Lets plain http leave this machine. */
export const allowHttp = z.boolean().optional()

function checkUrl(text: string, context: Refinement): void {
  const refuse = (message: string) => context.addIssue({ code: 'custom', message })
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || /\s/.test(text) || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    refuse('give an http or https URL, for example https://metrics.example:9090')
    return
  }
  if (url.username !== '' || url.password !== '')
    refuse('credentials do not belong in the URL, which is shown and logged; give them in fields of their own')
  if (url.hash !== '') refuse('leave out the part after #, it is never sent')
  for (const name of url.searchParams.keys())
    if (SECRET_PARAMETER.test(name))
      refuse(`parameter "${name.slice(0, 64)}" looks like a credential; give it in a field of its own`)
}

/** For a sink that makes the query itself. */
export function checkNoQuery(settings: { url: string }, context: Refinement): void {
  if (!URL.canParse(settings.url) || new URL(settings.url).search === '') return
  refuseField(context, 'url', 'leave out the part after ?, what it says has fields of its own')
}

/** Plain http shows credentials and data to everyone on the way. */
export function checkTransport(settings: { url: string; allowHttp?: boolean | undefined }, context: Refinement): void {
  if (settings.allowHttp || !URL.canParse(settings.url)) return
  const url = new URL(settings.url)
  if (url.protocol !== 'http:' || isLoopback(url.hostname)) return
  refuseField(
    context,
    'url',
    'plain http shows data and credentials to everyone on the way; use https or set allowHttp',
  )
}

/** This machine, by the name or address in a URL as `URL.hostname` gives it. */
export function isLoopback(hostname: string): boolean {
  return hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname) || /^(.+\.)?localhost\.?$/.test(hostname)
}

/** `url` without a query and without the API path that `known` finds at the end of its path, then `path`. */
export function apiUrl(url: string, known: RegExp, path: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname.replace(/\/+$/, '').replace(known, '') + path
}
