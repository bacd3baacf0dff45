import { describe, expect, it } from 'vitest'
import { memoryCollector } from '../../../../agent/collect/windows/memory.ts'
import { memoryStatus } from './buffers.ts'

const GB = 1024 ** 3
const collect = async (status: Buffer, usage: () => Promise<number>) =>
  (await memoryCollector({ status: () => status, pagingFileUsage: usage }).collect()).metrics
const unread = () => Promise.reject(new Error('no such performance counter'))

describe('memory', () => {
  it('reads memory and page files', async () => {
    expect(await collect(memoryStatus(64 * GB, 16 * GB, 72 * GB), async () => 12.5)).toEqual({
      onec_memory_total: 64 * GB,
      onec_memory_available: 16 * GB,
      onec_memory_free: 16 * GB,
      onec_memory_used: 48 * GB,
      onec_memory_percent: 75,
      onec_memory_swap_total: 8 * GB,
      onec_memory_swap_used: GB,
      onec_memory_swap_free: 7 * GB,
      onec_memory_swap_percent: 12.5,
    })
  })

  it.each([64 * GB, 64 * GB - 4_096, 64 * GB + 8_192])('takes no page file for a true zero (limit %d)', async limit => {
    expect(await collect(memoryStatus(64 * GB, 16 * GB, limit), unread)).toMatchObject({
      onec_memory_swap_total: 0,
      onec_memory_swap_used: 0,
      onec_memory_swap_free: 0,
      onec_memory_swap_percent: 0,
    })
  })

  it('leaves out the use of page files alone when it cannot be read', async () => {
    const metrics = await collect(memoryStatus(64 * GB, 16 * GB, 72 * GB), unread)
    expect(metrics).toMatchObject({ onec_memory_total: 64 * GB, onec_memory_swap_total: 8 * GB })
    expect(Object.keys(metrics ?? {}).filter(name => name.includes('swap'))).toEqual(['onec_memory_swap_total'])
  })
})
