import type { HostConfig } from '../../../shared/host-config.ts'
import type { Collector } from '../collector.ts'
import { cpuCollector } from '../cpu.ts'
import { diskCollector } from '../disk.ts'
import type { HostFiles } from '../host-files.ts'
import { nodeSystemCollector } from '../portable.ts'
import { volumesCollector } from '../volumes.ts'
import { connectionsCollector } from './connections.ts'
import { readCpuTimes } from './cpu.ts'
import { diskIoCollector } from './disk-io.ts'
import { listFixedVolumes } from './fixed-volumes.ts'
import { frequencyCollector } from './frequency.ts'
import { memoryCollector } from './memory.ts'
import { networkCollector } from './network.ts'
import { pagingFileCollector } from './paging-file.ts'
import { processesCollector } from './processes.ts'
import { usersCollector } from './users.ts'

/** The same families as on Linux and one more, through foreign functions; no other program is started. */
export function windowsCollectors(files: HostFiles, config: () => HostConfig, backupVolume: () => string): Collector[] {
  const volumes = rootedFiles(files)
  return [
    cpuCollector(readCpuTimes),
    frequencyCollector(),
    memoryCollector(),
    pagingFileCollector(),
    diskCollector(volumes, backupVolume),
    diskIoCollector(),
    networkCollector(),
    connectionsCollector(),
    processesCollector(),
    usersCollector(),
    nodeSystemCollector,
    volumesCollector(volumes, () => config().volumes, listFixedVolumes),
  ]
}

/** "D:" alone is the current directory on D:, which may be gone; its root never is. */
function rootedFiles(files: HostFiles): HostFiles {
  return { ...files, space: path => files.space(/^[A-Za-z]:$/.test(path) ? `${path}\\` : path) }
}
