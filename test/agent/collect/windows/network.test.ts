import { describe, expect, it } from 'vitest'
import { parseIfTable } from '../../../../agent/collect/windows/if-table.ts'
import { countedRows, networkCollector } from '../../../../agent/collect/windows/network.ts'
import { type IfRowFixture, ifTable } from './buffers.ts'

const CARD: IfRowFixture = {
  luid: 1,
  alias: 'Ethernet 1 (сеть предприятия)',
  hardware: true,
  address: '001122334455',
  in: { bytes: 1_000n, unicast: 8n, other: 2n, drops: 3n, errors: 1n },
  out: { bytes: 2_000n, unicast: 15n, other: 5n, drops: 4n, errors: 2n },
}
const MEMBER: IfRowFixture = { ...CARD, luid: 2, alias: 'Ethernet 2', address: '001122334466' }
const LOOPBACK: IfRowFixture = { luid: 9, type: 24, alias: 'Loopback Pseudo-Interface 1', in: { bytes: 77n } }

const names = (...rows: IfRowFixture[]) => countedRows(parseIfTable(ifTable(...rows))).map(row => row.alias)

/** The metrics after each of the tables. */
async function collect(...tables: Buffer[]) {
  let next = 0
  const collector = networkCollector(async () => tables[next++] ?? Buffer.alloc(0))
  const readings = []
  for (const _ of tables) readings.push((await collector.collect()).metrics)
  return readings
}

describe('countedRows', () => {
  it.each([
    ['leaves loopback out', [CARD, LOOPBACK], [CARD.alias]],
    ['leaves a filter of a card out', [CARD, { ...CARD, luid: 5, alias: 'QoS', filter: true }], [CARD.alias]],
    [
      'counts a team by its members',
      [CARD, MEMBER, { luid: 3, alias: 'Группа 1', address: CARD.address ?? '', in: { bytes: 2_000n } }],
      [CARD.alias, MEMBER.alias],
    ],
    [
      'counts a virtual switch by its card',
      [CARD, { luid: 3, alias: 'vEthernet (Внешняя)', in: { bytes: 1_000n } }],
      [CARD.alias],
    ],
    [
      'leaves a VPN out',
      [CARD, { luid: 4, alias: 'VPN', type: 131 }, { luid: 5, alias: 'PPP', type: 23 }],
      [CARD.alias],
    ],
    [
      'keeps a card that is down, whose counters stand still',
      [CARD, { ...MEMBER, up: false }],
      [CARD.alias, MEMBER.alias],
    ],
    [
      'counts the busier of a card and its fast path',
      [CARD, { ...CARD, luid: 6, alias: 'VF', in: { bytes: 50_000n } }],
      ['VF'],
    ],
    [
      'keeps cards that have no address apart',
      [
        { ...CARD, address: '' },
        { ...MEMBER, address: '' },
      ],
      [CARD.alias, MEMBER.alias],
    ],
    [
      'keeps cards whose address is all zeros apart',
      [
        { ...CARD, address: '000000000000' },
        { ...MEMBER, address: '000000000000' },
      ],
      [CARD.alias, MEMBER.alias],
    ],
    [
      'without any card takes what is up',
      [
        LOOPBACK,
        { luid: 7, alias: 'eth0' },
        { luid: 8, alias: 'wwan', up: false },
        { luid: 9, alias: 'PPP', type: 23 },
      ],
      ['eth0'],
    ],
  ] as [string, IfRowFixture[], string[]][])('%s', (_, rows, expected) => {
    expect(names(...rows)).toEqual(expected)
  })
})

describe('network', () => {
  it('sums packets of all kinds', async () => {
    expect(await collect(ifTable(CARD, LOOPBACK))).toEqual([
      {
        onec_network_bytes_recv: 1_000,
        onec_network_bytes_sent: 2_000,
        onec_network_packets_recv: 10,
        onec_network_packets_sent: 20,
        onec_network_errin: 1,
        onec_network_errout: 2,
        onec_network_dropin: 3,
        onec_network_dropout: 4,
      },
    ])
  })

  it('goes on over a driver that wraps at 32 bits, and over counters beyond them', async () => {
    const at = (bytes: bigint) => ifTable({ ...CARD, in: { bytes } }, { ...MEMBER, in: { bytes: 1n << 45n } })
    const received = (await collect(at(4_294_967_290n), at(10n))).map(metrics => metrics?.onec_network_bytes_recv)
    expect(received).toEqual([2 ** 45 + 4_294_967_290, 2 ** 45 + 4_294_967_306])
  })

  it('leaves out a counter that the driver does not have', async () => {
    const [metrics] = await collect(ifTable({ ...CARD, in: { bytes: 5n, errors: 0xffff_ffff_ffff_ffffn } }))
    expect(metrics).not.toHaveProperty('onec_network_errin')
    expect(metrics).toMatchObject({ onec_network_bytes_recv: 5 })
  })

  it('says that there is no interface', async () => {
    await expect(networkCollector(async () => ifTable(LOOPBACK)).collect()).rejects.toThrow('no network interface')
  })

  it('takes the rows that a table cut short has', () => {
    expect(parseIfTable(ifTable(CARD, MEMBER).subarray(0, 2_000))).toHaveLength(1)
    expect(parseIfTable(Buffer.alloc(3))).toEqual([])
  })
})
