import { describe, expect, it } from 'vitest'
import { countedInterfaces, networkCollector, parseNetDev } from '../../../agent/collect/network.ts'
import { fixtureFiles } from '../support/fixture-files.ts'

const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0
  eth0:1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0
  eth1: 500 5 0 0 0 0 0 0 600 6 0 0 0 0 0 0
 bond0: 1500 15 1 2 0 0 0 0 2600 26 3 4 0 0 0 0
veth1a: 77 7 0 0 0 0 0 0 77 7 0 0 0 0 0 0
`
const facts = (name: string, physical: boolean, master?: string) => ({ name, physical, master })

describe('network', () => {
  it('counts every packet once', async () => {
    const files = { '/proc/net/dev': NET_DEV, '/sys/class/net/eth0/device/x': '', '/sys/class/net/eth1/device/x': '' }
    const links = { '/sys/class/net/eth0/master': '/sys/devices/virtual/net/bond0' }
    expect((await networkCollector(fixtureFiles({ files, links })).collect()).metrics).toEqual({
      onec_network_bytes_recv: 1_500,
      onec_network_bytes_sent: 2_600,
      onec_network_packets_recv: 15,
      onec_network_packets_sent: 26,
      onec_network_errin: 1,
      onec_network_errout: 3,
      onec_network_dropin: 2,
      onec_network_dropout: 4,
    })
  })

  it('does not fall when an interface goes', async () => {
    const files = { '/proc/net/dev': NET_DEV, '/sys/class/net/eth0/device/x': '', '/sys/class/net/eth1/device/x': '' }
    const collector = networkCollector(fixtureFiles({ files }))
    await collector.collect()
    files['/proc/net/dev'] = 'eth1: 510 5 0 0 0 0 0 0 600 6 0 0 0 0 0 0'
    expect((await collector.collect()).metrics?.onec_network_bytes_recv).toBe(1_510)
  })

  it('reads a name that touches its first counter, and one with a colon', () => {
    expect(parseNetDev('eth0:1: 5 6 0 0 0 0 0 0 7 8 0 0 0 0 0 0')).toMatchObject([
      { name: 'eth0:1', receivedBytes: 5, sentBytes: 7 },
    ])
  })

  it.each([
    ['physical ones alone', [facts('lo', false), facts('eth0', true), facts('docker0', false)], ['eth0']],
    [
      'a bond by its parts',
      [facts('eth0', true, 'bond0'), facts('eth1', true, 'bond0'), facts('bond0', false)],
      ['eth0', 'eth1'],
    ],
    ['an accelerated twin not twice', [facts('eth0', true), facts('enP1', true, 'eth0')], ['eth0']],
    [
      'a container by what stands alone',
      [facts('lo', false), facts('eth0', false), facts('ifb0', false), facts('tunl0', false)],
      ['eth0'],
    ],
  ])('%s', (_, interfaces, expected) => {
    expect(countedInterfaces(interfaces).map(each => each.name)).toEqual(expected)
  })
})
