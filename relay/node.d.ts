/** The part of Node's modules that workerd has under `nodejs_compat` and the relay uses; @types/node would claim more. */
declare module 'node:zlib' {
  export function crc32(data: Uint8Array | string): number
  export function gzipSync(data: Uint8Array | string, options?: { level?: number }): Uint8Array<ArrayBuffer>
  /** @throws RangeError with code ERR_BUFFER_TOO_LARGE over `maxOutputLength` bytes */
  export function gunzipSync(data: Uint8Array, options?: { maxOutputLength?: number }): Uint8Array<ArrayBuffer>
}
