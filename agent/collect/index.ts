import path from 'node:path'
import type { HostConfig } from '../../shared/host-config.ts'
import type { Collector } from './collector.ts'
import { connectionsCollector } from './connections.ts'
import { cpuCollector, procStatTimes } from './cpu.ts'
import { diskCollector } from './disk.ts'
import { diskIoCollector } from './disk-io.ts'
import { frequencyCollector } from './frequency.ts'
import type { HostFiles } from './host-files.ts'
import { memoryCollector } from './memory.ts'
import { networkCollector } from './network.ts'
import { nodeCpuTimes, nodeMemoryCollector, nodeSystemCollector } from './portable.ts'
import { processesCollector } from './processes.ts'
import { systemCollector } from './system.ts'
import { usersCollector } from './users.ts'
import { mountedVolumes, volumesCollector } from './volumes.ts'
import { windowsCollectors } from './windows/index.ts'

export interface CollectContext {
  readonly files: HostFiles
  /** What applies at the moment of a snapshot. */
  readonly config: () => HostConfig
}

type Platform = (context: CollectContext) => Collector[]

const linux: Platform = ({ files, config }) => [
  cpuCollector(procStatTimes(files)),
  frequencyCollector(files),
  memoryCollector(files),
  diskCollector(files, () => backupVolume(config())),
  diskIoCollector(files),
  networkCollector(files),
  connectionsCollector(files),
  processesCollector(files),
  usersCollector(files, process.arch),
  systemCollector(files),
  volumesCollector(files, () => config().volumes, mountedVolumes(files)),
]

const win32: Platform = ({ files, config }) => windowsCollectors(files, config, () => backupVolume(config()))

/** Only what Node itself can read. */
const portable: Platform = ({ files, config }) => [
  cpuCollector(nodeCpuTimes),
  nodeMemoryCollector,
  diskCollector(files, () => backupVolume(config())),
  nodeSystemCollector,
  volumesCollector(
    files,
    () => config().volumes,
    async () => [systemVolume()],
  ),
]

const PLATFORMS: Partial<Record<NodeJS.Platform, Platform>> = { linux, win32 }

/** The collectors of this platform, one a family. */
export function platformCollectors(platform: NodeJS.Platform, context: CollectContext): Collector[] {
  return (PLATFORMS[platform] ?? portable)(context)
}

const systemVolume = (): string => path.parse(process.execPath).root

/** A place on the volume that `onec_disk_*` speak of. */
export function backupVolume(config: HostConfig): string {
  return config.backups?.find(backup => backup.directory !== undefined)?.directory ?? systemVolume()
}
