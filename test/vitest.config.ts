import { defineConfig } from 'vitest/config'

/**
 * `npm test` runs everything but what needs more than this package: `test/real` Debian's servers (`npm run test:real`),
 * `test/wine` wine (`npm run test:wine`).
 */
const own = (process.env.ONEC_REAL && 'test/real') || (process.env.ONEC_WINE && 'test/wine') || undefined

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: [`${own ?? 'test'}/**/*.test.ts`],
    exclude: own ? [] : ['test/real/**', 'test/wine/**'],
    globalSetup: own ? [] : ['test/support/agent-bundle.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // One Windows after the other: two cores.
    fileParallelism: own !== 'test/wine',
  },
})
