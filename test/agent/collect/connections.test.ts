import { describe, expect, it } from 'vitest'
import { connectionsCollector } from '../../../agent/collect/connections.ts'
import { fixtureFiles } from '../support/fixture-files.ts'

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const line = (index: number, state: string) =>
  `   ${index}: 0100007F:1F90 0100007F:D2F0 ${state} 00000000:00000000 00:00000000 00000000     0        0 1\n`

describe('connections', () => {
  it('counts ESTABLISHED of both families', async () => {
    const files = {
      '/proc/net/tcp': HEAD + line(0, '0A') + line(1, '01') + line(12, '01') + line(3, '06'),
      '/proc/net/tcp6': HEAD + line(0, '01'),
    }
    expect((await connectionsCollector(fixtureFiles({ files })).collect()).metrics).toEqual({
      onec_network_active_connections: 3,
    })
  })

  it('is 0 with none, and lives without IPv6', async () => {
    const files = { '/proc/net/tcp': HEAD }
    expect((await connectionsCollector(fixtureFiles({ files })).collect()).metrics).toEqual({
      onec_network_active_connections: 0,
    })
  })
})
