import { type Collector, known } from './collector.ts'
import type { HostFiles } from './host-files.ts'

/** TCP connections in state ESTABLISHED or CLOSE-WAIT: `tcpCurrEstab` of RFC 4022, which the kernel counts for both families. */
export function connectionsCollector(files: HostFiles): Collector {
  return {
    family: 'connections',
    async collect() {
      const count = currentEstablished(await files.readText('/proc/net/snmp'))
      if (count === undefined) throw new Error('/proc/net/snmp has no CurrEstab')
      return { metrics: known({ onec_network_active_connections: count }) }
    },
  }
}

/** `CurrEstab` of `/proc/net/snmp`: a line of names that begins with `Tcp:`, then one of values. */
export function currentEstablished(text: string): number | undefined {
  const [names = '', values = ''] = text.split('\n').filter(line => line.startsWith('Tcp:'))
  const value = values.split(' ')[names.split(' ').indexOf('CurrEstab')]
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined
}
