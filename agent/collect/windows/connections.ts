import { fillBuffer, foreign } from '../../windows/library.ts'
import { type Collector, known } from '../collector.ts'

/** Where a row has its state, and how long it is: MIB_TCPROW_OWNER_PID and MIB_TCP6ROW_OWNER_PID of tcpmib.h. */
interface Layout {
  readonly rowBytes: number
  readonly stateAt: number
}

export const TCP4: Layout = { rowBytes: 24, stateAt: 0 }
export const TCP6: Layout = { rowBytes: 56, stateAt: 48 }

export interface TcpTables {
  readonly v4: Buffer
  /** Absent where the system runs without IPv6. */
  readonly v6: Buffer | undefined
}

/** TCP connections in state ESTABLISHED or CLOSE-WAIT, as `tcpCurrEstab` of RFC 4022 counts them and Linux does. */
export function connectionsCollector(readTables: () => Promise<TcpTables> = readTcpTables): Collector {
  return {
    family: 'connections',
    async collect() {
      const { v4, v6 } = await readTables()
      const count = countCurrent(v4, TCP4) + (v6 ? countCurrent(v6, TCP6) : 0)
      return { metrics: known({ onec_network_active_connections: count }) }
    },
  }
}

const HEADER_BYTES = 4
/** MIB_TCP_STATE_ESTAB and MIB_TCP_STATE_CLOSE_WAIT of tcpmib.h. */
const CURRENT: ReadonlySet<number> = new Set([5, 8])

/** A count, then the rows. */
export function countCurrent(table: Buffer, { rowBytes, stateAt }: Layout): number {
  if (table.length < HEADER_BYTES) return 0
  const rows = Math.min(table.readUInt32LE(0), Math.floor((table.length - HEADER_BYTES) / rowBytes))
  let current = 0
  for (let row = 0; row < rows; row++)
    if (CURRENT.has(table.readUInt32LE(HEADER_BYTES + row * rowBytes + stateAt))) current++
  return current
}

const AF_INET = 2
const AF_INET6 = 23
const OWNER_PID_CONNECTIONS = 4
const ERROR_NOT_SUPPORTED = 50
const ERROR_INSUFFICIENT_BUFFER = 122
/** Room for connections that come between asking for the size and asking for the table. */
const SPARE_BYTES = 8_192

const getExtendedTcpTable = foreign<
  [table: Buffer, bytes: Buffer, sorted: number, family: number, tableClass: number, reserved: number]
>(
  'iphlpapi.dll',
  'uint32_t GetExtendedTcpTable(void *table, void *bytes, int sorted, uint32_t family, int tableClass, uint32_t reserved)',
)

export async function readTcpTables(): Promise<TcpTables> {
  const [v4, v6] = await Promise.all([readTcpTable(AF_INET), readTcpTable(AF_INET6)])
  return { v4: v4 ?? Buffer.alloc(0), v6 }
}

async function readTcpTable(family: number): Promise<Buffer | undefined> {
  const fill = async (buffer: Buffer, bytes: Buffer) =>
    (await getExtendedTcpTable.later(buffer, bytes, 0, family, OWNER_PID_CONNECTIONS, 0)).result
  const options = { call: 'GetExtendedTcpTable', tooSmall: ERROR_INSUFFICIENT_BUFFER, spareBytes: SPARE_BYTES }
  return await fillBuffer(fill, { ...options, absent: ERROR_NOT_SUPPORTED })
}
