import { describe, expect, it } from 'vitest'
import { connectionsCollector, currentEstablished } from '../../../agent/collect/connections.ts'
import { fixtureFiles } from '../support/fixture-files.ts'

/** Linux 6.12, lines of other protocols shortened. */
const SNMP = `Ip: Forwarding DefaultTTL InReceives
Ip: 1 64 756886
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs
Tcp: 1 200 120000 -1 53125 45641 6925 8847 45 756886 723296
Udp: InDatagrams NoPorts
Udp: 5 0
`

const collect = (files: Record<string, string>) => connectionsCollector(fixtureFiles({ files })).collect()

describe('connections', () => {
  it('are what the kernel counts as established now', async () => {
    expect((await collect({ '/proc/net/snmp': SNMP })).metrics).toEqual({ onec_network_active_connections: 45 })
  })

  it('are 0 with none', () => {
    expect(currentEstablished('Tcp: CurrEstab InSegs\nTcp: 0 7\n')).toBe(0)
  })

  it('are unknown where the kernel does not say', async () => {
    await expect(collect({ '/proc/net/snmp': 'Udp: InDatagrams\nUdp: 5\n' })).rejects.toThrow('CurrEstab')
    expect(currentEstablished('Tcp: CurrEstab InSegs\nTcp:\n')).toBeUndefined()
    expect(currentEstablished('Tcp: InSegs\nTcp: 7\n')).toBeUndefined()
  })
})
