import { describe, expect, it } from 'vitest'
import { connectionsCollector, countCurrent, TCP4, TCP6 } from '../../../../agent/collect/windows/connections.ts'
import { tcpTable } from './buffers.ts'

const [SYN_SENT, ESTABLISHED, CLOSE_WAIT, TIME_WAIT] = [3, 5, 8, 11]
const v4 = tcpTable(24, 0, [ESTABLISHED, TIME_WAIT, ESTABLISHED, CLOSE_WAIT])
const v6 = tcpTable(56, 48, [SYN_SENT, ESTABLISHED])

describe('connections', () => {
  it('counts those of both families that are open', async () => {
    const { metrics } = await connectionsCollector(async () => ({ v4, v6 })).collect()
    expect(metrics).toEqual({ onec_network_active_connections: 4 })
  })

  it('has none of IPv6 where there is no IPv6', async () => {
    const { metrics } = await connectionsCollector(async () => ({ v4, v6: undefined })).collect()
    expect(metrics).toEqual({ onec_network_active_connections: 3 })
  })

  it('counts the rows that a table cut short has', () => {
    expect(countCurrent(v4.subarray(0, 30), TCP4)).toBe(1)
    expect(countCurrent(Buffer.alloc(0), TCP6)).toBe(0)
  })
})
