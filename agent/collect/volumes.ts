import type { Series } from '../../shared/wire.ts'
import type { Collector } from './collector.ts'
import type { HostFiles } from './host-files.ts'
import { fixedVolumes, parseMounts } from './mounts.ts'

/** As many as a host's configuration may name. */
const MAX_VOLUMES = 32

/** `onec_volume_*` of the configured volumes, absent: of every fixed one. A volume that cannot be read is left out. */
export function volumesCollector(
  files: HostFiles,
  configured: () => readonly string[] | undefined,
  listFixed: () => Promise<readonly string[]>,
): Collector {
  return {
    family: 'volumes',
    async collect() {
      const volumes = (configured() ?? (await listFixed())).filter(isPrintable).slice(0, MAX_VOLUMES)
      const series: Series[] = []
      // One after the other: shares whose server is gone would hold a thread each.
      for (const volume of volumes) series.push(...(await volumeSeries(files, volume)))
      return { series }
    },
  }
}

export const mountedVolumes = (files: HostFiles) => async (): Promise<readonly string[]> =>
  fixedVolumes(parseMounts(await files.readText('/proc/mounts')))

async function volumeSeries(files: HostFiles, volume: string): Promise<Series[]> {
  const space = await files.space(volume).catch(() => undefined)
  if (!space) return []
  const labels = { volume }
  return [
    { name: 'onec_volume_total_bytes', labels, value: space.totalBytes },
    { name: 'onec_volume_used_bytes', labels, value: space.usedBytes },
    { name: 'onec_volume_free_bytes', labels, value: space.freeBytes },
  ]
}

/** The relay takes no control character in a label, and one such mount point must not cost the snapshot. */
const isPrintable = (name: string): boolean => /^[^\p{Cc}\p{Cs}]{1,256}$/u.test(name)
