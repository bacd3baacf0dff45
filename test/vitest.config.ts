import { defineConfig } from 'vitest/config'

/** `npm test` runs everything but `test/real`, which needs Debian's servers (`npm run test:real`). */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: process.env['ONEC_REAL'] ? ['test/real/**/*.test.ts'] : ['test/**/*.test.ts'],
    exclude: process.env['ONEC_REAL'] ? [] : ['test/real/**'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
})
