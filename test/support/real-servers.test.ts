import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { freePort, requireBinary } from './real-servers.ts'

it('a server that is not installed is an error that names its package', () => {
  expect(() => requireBinary('no-such-server', 'no-such-package')).toThrow(
    'no-such-server is not installed. Install it: apt-get install no-such-package',
  )
})

it('a free port can be listened on', async () => {
  const server = createServer()
  const port = await freePort()
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  expect(server.address()).toMatchObject({ port })
  server.close()
})
