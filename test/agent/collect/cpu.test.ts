import { describe, expect, it } from 'vitest'
import { cpuCollector, parseProcStat, procStatTimes } from '../../../agent/collect/cpu.ts'
import { fixtureFiles } from '../support/fixture-files.ts'

//                    user nice system idle iowait irq softirq steal guest guest_nice
const stat = (all: string) => `cpu  ${all}\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\nintr 5 1\nctxt 9\n`

describe('cpu', () => {
  it('reads times without counting guests twice', () => {
    expect(parseProcStat(stat('100 10 50 800 20 5 5 10 60 5'))).toEqual({
      user: 110,
      system: 60,
      idle: 800,
      notBusy: 820,
      total: 1_000,
      logical: 2,
    })
  })

  it('gives shares from the second reading on', async () => {
    const texts = [stat('100 10 50 800 20 5 5 10 0 0'), stat('130 10 60 850 30 5 5 10 0 0')]
    const collector = cpuCollector(() =>
      procStatTimes(fixtureFiles({ files: { '/proc/stat': texts.shift() ?? '' } }))(),
    )
    expect((await collector.collect()).metrics).toEqual({ onec_cpu_count_logical: 2 })
    expect((await collector.collect()).metrics).toEqual({
      onec_cpu_count_logical: 2,
      onec_cpu_percent: 40,
      onec_cpu_user_time: 30,
      onec_cpu_system_time: 10,
      onec_cpu_idle_time: 50,
    })
  })

  it('has no share of no time, and none below zero', async () => {
    const texts = [stat('100 0 0 800 0 0 0 0'), stat('100 0 0 800 0 0 0 0'), stat('110 0 0 799 0 0 0 0')]
    const collector = cpuCollector(async () => parseProcStat(texts.shift() ?? ''))
    await collector.collect()
    expect((await collector.collect()).metrics).toEqual({ onec_cpu_count_logical: 2 })
    expect((await collector.collect()).metrics).toMatchObject({ onec_cpu_idle_time: 0 })
  })

  it('fails when the file is something else', () => {
    expect(() => parseProcStat('')).toThrow('/proc/stat')
    expect(() => parseProcStat('cpu  a b c d e f g h')).toThrow('/proc/stat')
  })
})
