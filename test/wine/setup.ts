import { parseArgs } from 'node:util'
import { remove, setUp, WINE_ROOT } from './chroot.ts'

/**
 * `node test/wine/setup.ts`: makes what `npm run test:wine` needs, once; `--remove` takes it away. `--directory` is for
 * another place than ~/.cache/onec-relay/wine. Needs root, and debootstrap.
 */
const { values } = parseArgs({
  options: { remove: { type: 'boolean', default: false }, directory: { type: 'string', default: WINE_ROOT } },
})

try {
  if (values.remove) remove(values.directory)
  else setUp(values.directory, console.log)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 2
}
