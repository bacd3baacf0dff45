/// <reference path="./snappyjs.d.ts" />
import { compress } from 'snappyjs'

/** Snappy's block format (not the framed one), as remote write wants it. */
export function snappy(bytes: Uint8Array): Uint8Array {
  return compress(bytes)
}
