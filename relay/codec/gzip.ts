import { gzipSync } from 'node:zlib'

const utf8 = new TextEncoder()

/** The UTF-8 bytes of `text`, gzipped. The header carries no time, so that the same text gives the same bytes. */
export function gzip(text: string): Uint8Array {
  return gzipSync(utf8.encode(text))
}
