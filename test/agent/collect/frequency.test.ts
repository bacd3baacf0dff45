import { describe, expect, it } from 'vitest'
import { frequencyCollector, parseCpuinfo } from '../../../agent/collect/frequency.ts'
import { fixtureFiles } from '../support/fixture-files.ts'

const processor = (index: number, physical: number, core: number) =>
  `processor\t: ${index}\nmodel name\t: AMD EPYC\ncpu MHz\t\t: ${2600 + index}.140\nphysical id\t: ${physical}\ncore id\t\t: ${core}\ncpu cores\t: 2\n`
const cpuinfo = [processor(0, 0, 0), processor(1, 0, 1), processor(2, 0, 0), processor(3, 1, 0)].join('\n')
const sys = (cpu: number, file: string) => `/sys/devices/system/cpu/cpu${cpu}/${file}`
const collect = async (files: Record<string, string>) =>
  (await frequencyCollector(fixtureFiles({ files })).collect()).metrics

describe('frequency', () => {
  it('counts a core once, however many threads it has', () => {
    expect(parseCpuinfo(cpuinfo)).toEqual({ mhz: [2600.14, 2601.14, 2602.14, 2603.14], cores: 3 })
  })

  it('falls back to cpuinfo, and knows no maximum then', async () => {
    expect(await collect({ '/proc/cpuinfo': cpuinfo })).toEqual({
      onec_cpu_freq_current: 2601.6,
      onec_cpu_count_physical: 3,
    })
  })

  it('prefers cpufreq', async () => {
    const files = {
      '/proc/cpuinfo': cpuinfo,
      [sys(0, 'cpufreq/scaling_cur_freq')]: '1200000\n',
      [sys(1, 'cpufreq/scaling_cur_freq')]: '1400000\n',
      [sys(0, 'cpufreq/cpuinfo_max_freq')]: '3500000\n',
      [sys(1, 'cpufreq/cpuinfo_max_freq')]: '3600000\n',
    }
    expect(await collect(files)).toMatchObject({ onec_cpu_freq_current: 1300, onec_cpu_freq_max: 3600 })
  })

  it('counts cores by their threads where cpuinfo has no ids (ARM)', async () => {
    const files = {
      '/proc/cpuinfo': 'processor\t: 0\nBogoMIPS\t: 50.00\n\nprocessor\t: 1\nBogoMIPS\t: 50.00\n',
      [sys(0, 'topology/thread_siblings_list')]: '0\n',
      [sys(1, 'topology/thread_siblings_list')]: '1\n',
    }
    expect(await collect(files)).toEqual({ onec_cpu_count_physical: 2 })
  })
})
