import { sha256Hex } from '../auth/digest.ts'

/** Crockford's base32: no I, L, O or U, so that a code can be read out over the telephone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CODE = /^[0-9A-HJKMNP-TV-Z]{16}$/
const HINT_CHARS = 4

/** A new code of 80 random bits, for example `7K2M-0QXR-9TBD-4HWE`. */
export function newEnrolmentCode(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const letters = Array.from(bytes, byte => ALPHABET.charAt(byte & 31)).join('')
  return letters.replace(/.{4}(?=.)/g, '$&-')
}

/** What is stored of a code as somebody typed it: case, dashes and spaces do not count, nor do O for 0, I or L for 1. */
export async function readEnrolmentCode(typed: string): Promise<{ codeHash: string; hint: string } | undefined> {
  const letters = typed.replace(/[\s-]/g, '').toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1')
  if (!CODE.test(letters)) return undefined
  return { codeHash: await sha256Hex(letters), hint: letters.slice(0, HINT_CHARS) }
}
