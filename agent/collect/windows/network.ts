import type { Collector } from '../collector.ts'
import { type NetCounter, networkMetrics } from '../network.ts'
import { createRunningTotals } from '../running-totals.ts'
import { type IfRow, parseIfTable, readIfTable } from './if-table.ts'

/** Bytes and packets of all interfaces, each packet once; the totals only grow while the agent runs. */
export function networkCollector(readTable: () => Promise<Buffer> = readIfTable): Collector {
  const totals = createRunningTotals<NetCounter>()
  return {
    family: 'network',
    async collect() {
      const counted = countedRows(parseIfTable(await readTable()))
      if (counted.length === 0) throw new Error('there is no network interface')
      const total = totals.add(new Map(counted.map(row => [row.luid, row.counters])))
      return { metrics: networkMetrics(counter => total[counter]) }
    },
  }
}

const PPP = 23
const LOOPBACK = 24
const TUNNEL = 131

/**
 * Every packet once, as on Linux. With network cards: those alone, up or not, as teams, virtual switches and VPNs ride
 * on them; a card that is down adds nothing, and leaving it out would make the sum fall. Without any: what is up and
 * neither loopback, tunnel, dial-up nor another row's filter.
 */
export function countedRows(rows: readonly IfRow[]): IfRow[] {
  const own = rows.filter(row => !row.filter && row.type !== LOOPBACK && row.type !== TUNNEL)
  const cards = own.filter(row => row.hardware)
  if (cards.length > 0) return withoutTwins(cards)
  return own.filter(row => row.up && row.type !== PPP)
}

/**
 * A virtual machine with SR-IOV has the same card twice, with one burnt-in address: the synthetic one and its fast path.
 * The busier one counts. Members of a team have addresses of their own.
 */
function withoutTwins(cards: readonly IfRow[]): IfRow[] {
  const busiest = new Map<string, IfRow>()
  for (const card of cards) {
    const address = card.permanentAddress || card.luid
    const twin = busiest.get(address)
    if (!twin || traffic(card) > traffic(twin)) busiest.set(address, card)
  }
  return [...busiest.values()]
}

const traffic = ({ counters }: IfRow): number => (counters.receivedBytes ?? 0) + (counters.sentBytes ?? 0)
