import { type Collector, known } from './collector.ts'
import type { HostFiles } from './host-files.ts'
import { createRunningTotals } from './running-totals.ts'

export function networkCollector(files: HostFiles): Collector {
  const totals = createRunningTotals<NetCounter>()
  return {
    family: 'network',
    async collect() {
      const counters = parseNetDev(await files.readText('/proc/net/dev'))
      const interfaces = await Promise.all(
        counters.map(async each => ({ ...each, ...(await facts(files, each.name)) })),
      )
      const counted = countedInterfaces(interfaces)
      if (counted.length === 0) return {}
      const total = totals.add(new Map(counted.map(({ name, physical, master, ...counters }) => [name, counters])))
      return { metrics: networkMetrics(counter => total[counter]) }
    },
  }
}

export type NetCounter =
  | 'receivedBytes'
  | 'receivedPackets'
  | 'receiveErrors'
  | 'receiveDrops'
  | 'sentBytes'
  | 'sentPackets'
  | 'sendErrors'
  | 'sendDrops'

export interface NetCounters extends Readonly<Record<NetCounter, number>> {
  readonly name: string
}

export function networkMetrics(total: (counter: NetCounter) => number | undefined) {
  return known({
    onec_network_bytes_sent: total('sentBytes'),
    onec_network_bytes_recv: total('receivedBytes'),
    onec_network_packets_sent: total('sentPackets'),
    onec_network_packets_recv: total('receivedPackets'),
    onec_network_errin: total('receiveErrors'),
    onec_network_errout: total('sendErrors'),
    onec_network_dropin: total('receiveDrops'),
    onec_network_dropout: total('sendDrops'),
  })
}

/** `/proc/net/dev`: eight counters received, eight sent. The name may touch its first counter. */
export function parseNetDev(text: string): NetCounters[] {
  return text.split('\n').flatMap(line => {
    const colon = line.lastIndexOf(':')
    const counters = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number)
    if (colon < 0 || counters.length < 12 || !counters.every(Number.isFinite)) return []
    const [receivedBytes = 0, receivedPackets = 0, receiveErrors = 0, receiveDrops = 0] = counters
    const [sentBytes = 0, sentPackets = 0, sendErrors = 0, sendDrops = 0] = counters.slice(8)
    const name = line.slice(0, colon).trim()
    return [
      {
        name,
        receivedBytes,
        receivedPackets,
        receiveErrors,
        receiveDrops,
        sentBytes,
        sentPackets,
        sendErrors,
        sendDrops,
      },
    ]
  })
}

export interface InterfaceFacts {
  readonly name: string
  /** A device stands behind it. */
  readonly physical: boolean
  /** The bond, bridge or synthetic adapter that it is a part of. */
  readonly master: string | undefined
}

/** Virtual interfaces that only repeat, redirect or discard traffic. */
const REPEATING = /^(ifb|dummy|veth|docker|br-|virbr|tunl|gre|sit|ip6tnl|ip_vti)/

/**
 * Every packet once. With physical interfaces: those alone, as bonds, bridges, VLANs and tunnels ride on them, and
 * without one whose master is physical too (Hyper-V's accelerated twin). In a container there are none: then all that
 * stand on their own, loopback left out.
 */
export function countedInterfaces<I extends InterfaceFacts>(interfaces: readonly I[]): I[] {
  const physical = interfaces.filter(each => each.physical)
  if (physical.length > 0) return physical.filter(each => !physical.some(other => other.name === each.master))
  return interfaces.filter(each => each.name !== 'lo' && each.master === undefined && !REPEATING.test(each.name))
}

async function facts(files: HostFiles, name: string) {
  const [physical, master] = await Promise.all([
    files.exists(`/sys/class/net/${name}/device`),
    files.resolve(`/sys/class/net/${name}/master`),
  ])
  return { physical, master: master?.split('/').at(-1) }
}
