/**
 * Writes down what this Windows answers, as the parsers get it: `node test/support/record-windows.ts fixture.json` on
 * Windows or under wine. Buffers are hexadecimal; what cannot be read is its reason. Look through it before it is kept:
 * it has names of users and network cards in it.
 */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { cpus, release, totalmem, uptime } from 'node:os'
import { readTcpTables } from '../../agent/collect/windows/connections.ts'
import { countProcessors, readSystemTimes } from '../../agent/collect/windows/cpu.ts'
import { windowsVolumes } from '../../agent/collect/windows/fixed-volumes.ts'
import { readCores, readPower } from '../../agent/collect/windows/frequency.ts'
import { readIfTable } from '../../agent/collect/windows/if-table.ts'
import { readMemoryStatus } from '../../agent/collect/windows/memory.ts'
import { readPagingFileUsage } from '../../agent/collect/windows/paging-file.ts'
import { PATHS } from '../../agent/collect/windows/physical-disk.ts'
import { readPerformanceInformation } from '../../agent/collect/windows/processes.ts'
import { parseSessionList, windowsSessions } from '../../agent/collect/windows/sessions.ts'
import { describeError } from '../../agent/error.ts'
import { openPdhQuery } from '../../agent/windows/pdh.ts'

const SOURCES: Readonly<Record<string, () => unknown>> = {
  node: () => ({ release: release(), cpus: cpus().length, totalmem: totalmem(), uptime: uptime() }),
  processors: countProcessors,
  systemTimes: readSystemTimes,
  power: readPower,
  cores: readCores,
  memoryStatus: readMemoryStatus,
  pagingFileUsage: readPagingFileUsage,
  performanceInformation: readPerformanceInformation,
  tcpTables: recordConnections,
  ifTable: readIfTable,
  sessions: recordSessions,
  volumes: recordVolumes,
  diskReads: () => recordCounter(PATHS.reads),
}

/** With one connection of its own, so that there is one. */
async function recordConnections() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(client, 'connect')
  try {
    return await readTcpTables()
  } finally {
    client.destroy()
    server.close()
  }
}

async function recordSessions() {
  const list = await windowsSessions.list()
  const sessions = parseSessionList(list).map(async ({ id }) => {
    return { id, userName: await windowsSessions.userName(id), protocol: await windowsSessions.protocol(id) }
  })
  return { list, sessions: await Promise.all(sessions) }
}

async function recordVolumes() {
  const roots = [...'CDZ'].map(letter => `${letter}:\\`)
  const types = roots.map(async root => [root, await windowsVolumes.driveType(root)] as const)
  const driveTypes = Object.fromEntries(await Promise.all(types))
  return { letters: windowsVolumes.letters(), driveTypes, paths: await windowsVolumes.volumePaths() }
}

async function recordCounter(path: string) {
  const query = await openPdhQuery([path])
  try {
    await query.collect()
    const { bytes, count, address } = await query.rawArray(path)
    return { bytes, count, address: String(address) }
  } finally {
    query.close()
  }
}

const asHex = (_: string, value: unknown) =>
  value !== null && typeof value === 'object' && 'type' in value && value.type === 'Buffer' && 'data' in value
    ? Buffer.from(value.data as number[]).toString('hex')
    : value

const recorded: Record<string, unknown> = {}
for (const [name, read] of Object.entries(SOURCES)) {
  try {
    recorded[name] = await read()
  } catch (error) {
    recorded[name] = { reason: describeError(error) }
  }
}
writeFileSync(process.argv[2] ?? 'recorded.json', `${JSON.stringify(recorded, asHex, 2)}\n`)
