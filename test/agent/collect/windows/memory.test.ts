import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../../agent/clock.ts'
import { createSampler } from '../../../../agent/collect/sampler.ts'
import { memoryCollector } from '../../../../agent/collect/windows/memory.ts'
import { pagingFileCollector } from '../../../../agent/collect/windows/paging-file.ts'
import { memoryStatus } from './buffers.ts'

const GB = 1024 ** 3
const memory = async (status: Buffer) => (await memoryCollector(() => status).collect()).metrics
const pagingFile = async (status: Buffer, usage: () => Promise<number>) =>
  (await pagingFileCollector({ status: () => status, usage }).collect()).metrics
const unread = () => Promise.reject(new Error('no such performance counter'))

describe('memory', () => {
  it('reads memory and the size of page files', async () => {
    expect(await memory(memoryStatus(64 * GB, 16 * GB, 72 * GB))).toEqual({
      onec_memory_total: 64 * GB,
      onec_memory_available: 16 * GB,
      onec_memory_free: 16 * GB,
      onec_memory_used: 48 * GB,
      onec_memory_percent: 75,
      onec_memory_swap_total: 8 * GB,
    })
  })

  it('reads the use of page files', async () => {
    expect(await pagingFile(memoryStatus(64 * GB, 16 * GB, 72 * GB), async () => 12.5)).toEqual({
      onec_memory_swap_used: GB,
      onec_memory_swap_free: 7 * GB,
      onec_memory_swap_percent: 12.5,
    })
  })

  it.each([64 * GB, 64 * GB - 4_096, 64 * GB + 8_192])('takes no page file for a true zero (limit %d)', async limit => {
    const status = memoryStatus(64 * GB, 16 * GB, limit)
    expect({ ...(await memory(status)), ...(await pagingFile(status, unread)) }).toMatchObject({
      onec_memory_swap_total: 0,
      onec_memory_swap_used: 0,
      onec_memory_swap_free: 0,
      onec_memory_swap_percent: 0,
    })
  })

  it('is known whole while the counters hang, and says when they fail', async () => {
    const status = () => memoryStatus(64 * GB, 16 * GB, 72 * GB)
    const collectors = (usage: () => Promise<number>) => [
      memoryCollector(status),
      pagingFileCollector({ status, usage }),
    ]
    const clock = { ...systemClock, sleep: () => new Promise<void>(resolve => setImmediate(resolve)) }
    const sample = (usage: () => Promise<number>) => createSampler(collectors(usage), 2_000, clock).sample()
    const hanging = await sample(() => new Promise(() => {}))
    expect(hanging.metrics).toMatchObject({ onec_memory_percent: 75, onec_memory_swap_total: 8 * GB })
    expect(hanging.problems).toEqual([{ family: 'paging-file', reason: 'no reading within 2000 ms' }])
    expect((await sample(unread)).problems).toEqual([{ family: 'paging-file', reason: 'no such performance counter' }])
  })
})
