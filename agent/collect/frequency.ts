import { type Collector, known } from './collector.ts'
import type { HostFiles } from './host-files.ts'

const CPU_ROOT = '/sys/devices/system/cpu'

/**
 * Frequencies and the number of cores: cpufreq where the kernel has it, else what `/proc/cpuinfo` says. A virtual
 * machine often knows no maximum: then it is absent.
 */
export function frequencyCollector(files: HostFiles): Collector {
  return {
    family: 'frequency',
    async collect() {
      const [cpuinfo, cpus] = await Promise.all([
        files.readText('/proc/cpuinfo').then(parseCpuinfo),
        listCpus(files).catch(() => []),
      ])
      // A virtual machine often has none of it, and a file that is not there costs more than one that is.
      const scaled = (await files.exists(`${CPU_ROOT}/${cpus[0]}/cpufreq`)) ? cpus : []
      const [current, max] = await Promise.all([
        readKhz(files, scaled, 'cpufreq/scaling_cur_freq'),
        readKhz(files, scaled, 'cpufreq/cpuinfo_max_freq'),
      ])
      return {
        metrics: known({
          onec_cpu_freq_current: mean(current.length > 0 ? current : cpuinfo.mhz),
          onec_cpu_freq_max: max.length > 0 ? Math.max(...max) : undefined,
          onec_cpu_count_physical: cpuinfo.cores ?? (await countSiblingGroups(files, cpus)),
        }),
      }
    },
  }
}

export interface Cpuinfo {
  readonly mhz: readonly number[]
  /** Distinct pairs of physical id and core id; absent where the kernel does not say (ARM). */
  readonly cores: number | undefined
}

export function parseCpuinfo(text: string): Cpuinfo {
  const blocks = text.split(/\n\s*\n/).filter(block => /^processor\s*:/m.test(block))
  const field = (block: string, name: string) => block.match(new RegExp(`^${name}\\s*:\\s*(\\S+)`, 'm'))?.[1]
  const cores = new Set<string>()
  for (const block of blocks) {
    const core = field(block, 'core id')
    if (core !== undefined) cores.add(`${field(block, 'physical id')}/${core}`)
  }
  const mhz = blocks.map(block => Number(field(block, 'cpu MHz'))).filter(value => value > 0)
  return { mhz, cores: cores.size || undefined }
}

async function listCpus(files: HostFiles): Promise<string[]> {
  return (await files.list(CPU_ROOT)).filter(name => /^cpu\d+$/.test(name))
}

async function readKhz(files: HostFiles, cpus: readonly string[], file: string): Promise<number[]> {
  const read = cpus.map(cpu => files.readText(`${CPU_ROOT}/${cpu}/${file}`).catch(() => ''))
  return (await Promise.all(read)).map(text => Number(text) / 1000).filter(mhz => mhz > 0)
}

async function countSiblingGroups(files: HostFiles, cpus: readonly string[]): Promise<number | undefined> {
  const read = cpus.map(cpu => files.readText(`${CPU_ROOT}/${cpu}/topology/thread_siblings_list`).catch(() => ''))
  return new Set((await Promise.all(read)).filter(Boolean)).size || undefined
}

function mean(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined
  return Math.round((values.reduce((sum, value) => sum + value, 0) / values.length) * 10) / 10
}
