import * as z from 'zod'
import { base64 } from '../codec/base64.ts'
import { PRINTABLE, type Refinement, refuseField } from './settings.ts'

/** What may stand in a header after `Bearer` or `Token`. */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/

/** RFC 7617: the colon ends the user. */
export const basicUser = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^:\p{Cc}\p{Cs}]+$/u, 'a user name has no colon and no control characters')

export const basicPassword = z
  .string()
  .min(1)
  .max(4096)
  .regex(PRINTABLE, 'a password has no control characters: was a line end pasted with it?')

export const headerToken = z
  .string()
  .min(1)
  .max(4096)
  .regex(VISIBLE_ASCII, 'a token has only visible ASCII characters: was a space or a line end pasted with it?')

export function checkBasic(
  settings: { user?: string | undefined; password?: string | undefined },
  context: Refinement,
): void {
  if (settings.user === undefined && settings.password !== undefined)
    refuseField(context, 'user', 'a password needs its user')
  if (settings.user !== undefined && settings.password === undefined)
    refuseField(context, 'password', 'a user needs its password')
}

/** `Authorization` of Basic authentication, nothing without a user. */
export function basicHeader(settings: { user?: string | undefined; password?: string | undefined }): {
  authorization?: string
} {
  if (settings.user === undefined) return {}
  return { authorization: `Basic ${base64(`${settings.user}:${settings.password ?? ''}`)}` }
}
