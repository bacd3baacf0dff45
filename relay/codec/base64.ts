const utf8 = new TextEncoder()

/** The UTF-8 bytes of `text` as base64 (RFC 4648, 4), padded: what Basic authentication wants. */
export function base64(text: string): string {
  return btoa(String.fromCharCode(...utf8.encode(text)))
}

/** The UTF-8 bytes of `text` as base64url (RFC 4648, 5), unpadded: safe as a segment of a path. */
export function base64Url(text: string): string {
  return base64(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
