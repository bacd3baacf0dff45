import { setFlagsFromString } from 'node:v8'

/**
 * Makes V8 small instead of fast: it collects sooner, and never compiles what it interprets well enough for a snapshot a
 * minute. `test/bench/agent/README.md` has what each flag brings. The single executable starts with them, which keeps the
 * compilers' own pages out of memory; elsewhere {@link keepHeapSmall} sets them.
 */
export const HEAP_FLAGS = [
  '--semi-space-growth-factor=1',
  '--optimize-for-size',
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
] as const

/** All are read whenever they matter, so that they take effect after start too, where a command line cannot carry them. */
export function keepHeapSmall(): void {
  for (const flag of HEAP_FLAGS) setFlagsFromString(flag)
}

/**
 * What its unit sets for glibc, which reads it before any code of ours: one arena for all threads, and a fixed threshold,
 * as the one that grows lets freed buffers of 256 KB lie about in the heap.
 */
export const MALLOC_ENVIRONMENT = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' } as const
