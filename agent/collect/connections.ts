import { type Collector, known } from './collector.ts'
import type { HostFiles } from './host-files.ts'

/** TCP connections in state ESTABLISHED. A host without IPv6 has no `tcp6`, and none of its connections. */
export function connectionsCollector(files: HostFiles): Collector {
  return {
    family: 'connections',
    async collect() {
      const hasV6 = await files.exists('/proc/net/tcp6')
      const [v4, v6] = await Promise.all([
        files.readText('/proc/net/tcp'),
        hasV6 ? files.readText('/proc/net/tcp6') : '',
      ])
      return { metrics: known({ onec_network_active_connections: countEstablished(v4) + countEstablished(v6) }) }
    },
  }
}

/** Lines of `/proc/net/tcp` whose fourth field, the state, is 01. */
export function countEstablished(text: string): number {
  return text.match(/^\s*\d+: \S+ \S+ 01 /gm)?.length ?? 0
}
