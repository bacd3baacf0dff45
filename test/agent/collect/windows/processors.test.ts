import { describe, expect, it } from 'vitest'
import { cpuShares } from '../../../../agent/collect/cpu.ts'
import { parseSystemTimes } from '../../../../agent/collect/windows/cpu.ts'
import { frequencyCollector } from '../../../../agent/collect/windows/frequency.ts'
import { coreRecords, powerRecords } from './buffers.ts'

function times(idle: bigint, kernel: bigint, user: bigint) {
  const [one, two, three] = [idle, kernel, user].map(value => {
    const buffer = Buffer.alloc(8)
    buffer.writeBigUInt64LE(value)
    return buffer
  }) as [Buffer, Buffer, Buffer]
  return parseSystemTimes({ idle: one, kernel: two, user: three }, 128)
}

const collect = async (power: () => Buffer, cores: () => Promise<Buffer>) =>
  (await frequencyCollector({ power, cores }).collect()).metrics
const fails = (reason: string) => () => {
  throw new Error(reason)
}

describe('parseSystemTimes', () => {
  it('takes idle time out of the kernel time that has it', () => {
    expect(cpuShares(times(0n, 0n, 0n), times(700n, 800n, 200n))).toEqual({
      onec_cpu_percent: 30,
      onec_cpu_user_time: 20,
      onec_cpu_system_time: 10,
      onec_cpu_idle_time: 70,
    })
    expect(times(1n, 1n, 1n).logical).toBe(128)
  })
})

describe('frequency', () => {
  it('counts the cores of all processor groups: 128 threads in two groups are 64 cores', async () => {
    const power = powerRecords(
      Array.from({ length: 128 }, (_, cpu) => ({ current: cpu < 64 ? 2_000 : 3_000, max: 3_100 })),
    )
    expect(
      await collect(
        () => power,
        async () => coreRecords(32, 32),
      ),
    ).toEqual({
      onec_cpu_freq_current: 2_500,
      onec_cpu_freq_max: 3_100,
      onec_cpu_count_physical: 64,
    })
  })

  it('leaves out the processors that the call did not fill', async () => {
    const half = powerRecords(
      Array.from({ length: 128 }, (_, cpu) => (cpu < 64 ? { current: 2_400, max: 2_500 } : { current: 0, max: 0 })),
    )
    expect(
      await collect(
        () => half,
        async () => coreRecords(64),
      ),
    ).toMatchObject({ onec_cpu_freq_current: 2_400 })
  })

  it('gives one of the two where the other fails', async () => {
    expect(await collect(fails('not supported'), async () => coreRecords(4))).toEqual({ onec_cpu_count_physical: 4 })
    expect(
      await collect(
        () => powerRecords([{ current: 1, max: 2 }]),
        async () => fails('no')(),
      ),
    ).toEqual({
      onec_cpu_freq_current: 1,
      onec_cpu_freq_max: 2,
    })
  })

  it('is unread when both fail', async () => {
    await expect(collect(fails('not supported'), async () => fails('no')())).rejects.toThrow('not supported')
  })

  it('ends at a record without a length', async () => {
    const power = () => powerRecords([{ current: 1, max: 2 }])
    expect(await collect(power, async () => Buffer.alloc(480))).toMatchObject({ onec_cpu_count_physical: 1 })
  })
})
