/** Bytes as base64 (RFC 4648, 4), padded. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

/** Bytes as base64url (RFC 4648, 5) without padding: fits into a token, a URL and a file name. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** The bytes of a base64 or base64url text; absent when it is neither, or when another text means the same bytes. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const standard = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '')
  if (!/^[A-Za-z0-9+/]*$/.test(standard) || standard.length % 4 === 1) return undefined
  const bytes = Uint8Array.from(atob(standard), character => character.charCodeAt(0))
  return toBase64(bytes).replace(/=+$/, '') === standard ? bytes : undefined
}
