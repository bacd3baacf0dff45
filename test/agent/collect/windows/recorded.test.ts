import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { connectionsCollector } from '../../../../agent/collect/windows/connections.ts'
import { parseSystemTimes } from '../../../../agent/collect/windows/cpu.ts'
import { folderOf } from '../../../../agent/collect/windows/fixed-volumes.ts'
import { frequencyCollector } from '../../../../agent/collect/windows/frequency.ts'
import { parseIfTable } from '../../../../agent/collect/windows/if-table.ts'
import { memoryCollector } from '../../../../agent/collect/windows/memory.ts'
import { networkCollector } from '../../../../agent/collect/windows/network.ts'
import { pagingFileCollector } from '../../../../agent/collect/windows/paging-file.ts'
import { processesCollector } from '../../../../agent/collect/windows/processes.ts'
import { usersCollector } from '../../../../agent/collect/windows/users.ts'

/** What wine 10 gave on a machine of two cores and 24 GB: written by `test/support/record-windows.ts`. */
const WINE = JSON.parse(readFileSync(new URL('recorded/wine-10.json', import.meta.url), 'utf8'))
const bytes = (hex: string) => Buffer.from(hex, 'hex')

describe('recorded under wine 10', () => {
  it('processors', async () => {
    const { idle, kernel, user } = WINE.systemTimes
    const times = parseSystemTimes({ idle: bytes(idle), kernel: bytes(kernel), user: bytes(user) }, WINE.processors)
    // Both processors together, since boot, in units of 100 ns.
    expect(times.total / 1e7 / WINE.processors).toBeCloseTo(WINE.node.uptime, -2)
    const sources = { power: () => bytes(WINE.power), cores: async () => bytes(WINE.cores) }
    expect((await frequencyCollector(sources).collect()).metrics).toEqual({
      onec_cpu_freq_current: 2_445,
      onec_cpu_freq_max: 2_445,
      onec_cpu_count_physical: 2,
    })
  })

  it('memory', async () => {
    const status = () => bytes(WINE.memoryStatus)
    expect((await memoryCollector(status).collect()).metrics).toMatchObject({
      onec_memory_total: WINE.node.totalmem,
      onec_memory_swap_total: 0,
    })
    const usage = () => Promise.reject(new Error('none'))
    expect((await pagingFileCollector({ status, usage }).collect()).metrics?.onec_memory_swap_percent).toBe(0)
  })

  it('processes and connections', async () => {
    const processes = processesCollector(() => bytes(WINE.performanceInformation))
    expect((await processes.collect()).metrics?.onec_processes_total_count).toBeGreaterThan(3)
    const tables = { v4: bytes(WINE.tcpTables.v4), v6: bytes(WINE.tcpTables.v6) }
    // Both ends of one connection.
    expect((await connectionsCollector(async () => tables).collect()).metrics).toEqual({
      onec_network_active_connections: 2,
    })
  })

  it('network', async () => {
    const table = bytes(WINE.ifTable)
    expect(parseIfTable(table).map(({ alias, type }) => [alias, type])).toEqual([
      ['lo', 24],
      ['ifb0', 6],
      ['ifb1', 6],
      ['eth0', 6],
    ])
    const { metrics } = await networkCollector(async () => table).collect()
    expect(metrics?.onec_network_bytes_recv).toBeGreaterThan(8e8)
    expect(metrics?.onec_network_packets_recv).toBeGreaterThan(20_000)
  })

  it('sessions and volumes', async () => {
    const [session] = WINE.sessions.sessions
    const source = {
      list: async () => bytes(WINE.sessions.list),
      userName: async () => bytes(session.userName),
      protocol: async () => bytes(session.protocol),
    }
    expect((await usersCollector(source).collect()).metrics).toEqual({
      onec_logged_users_count: 1,
      onec_rdp_active_count: 0,
    })
    // Volumes with a letter have no folder of their own.
    expect(WINE.volumes.paths.map(bytes).flatMap(folderOf)).toEqual([])
  })
})
