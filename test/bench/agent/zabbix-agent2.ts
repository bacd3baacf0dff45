import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { killAtExit } from '../../chaos/at-exit.ts'
import { until } from '../../support/process.ts'
import { requireBinary } from '../../support/real-server-process.ts'
import type { Peer } from './peers.ts'

const BINARY = 'zabbix_agent2'
const READY_WITHIN_MS = 10_000

/** Debian's, asked for what a snapshot holds. A round is one passive check of each item, as its server makes them. */
export const zabbixAgent2: Peer = {
  file: () => requireBinary(BINARY, 'zabbix-agent2'),
  async start() {
    const folder = await mkdtemp(join(tmpdir(), 'onec-zabbix-'))
    const port = await freeLowPort()
    const config = join(folder, 'zabbix.conf')
    await writeFile(config, configOf(folder, port))
    const child = spawn(zabbixAgent2.file(), ['-f', '-c', config], { stdio: 'ignore' })
    killAtExit(child)
    const ended = new Promise(resolve => child.once('exit', resolve))
    const stop = async () => {
      child.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true, force: true })
    }
    const isReady = () => check(port, 'agent.ping').catch(() => undefined)
    if (!(await until(isReady, READY_WITHIN_MS))) {
      await stop()
      throw new Error(`${BINARY} did not become ready on port ${port}`)
    }
    const items = itemsOf(networkInterface())
    return {
      pid: child.pid ?? -1,
      stop,
      async round() {
        for (const item of items) await check(port, item)
      },
    }
  },
}

const configOf = (folder: string, port: number): string =>
  [
    'LogType=console',
    `ListenIP=127.0.0.1`,
    `ListenPort=${port}`,
    'Server=127.0.0.1',
    'Hostname=bench',
    `ControlSocket=${join(folder, 'control.sock')}`,
    `PluginSocket=${join(folder, 'plugin.sock')}`,
    '',
  ].join('\n')

/** It takes no port above 32767, which is where those begin that the system gives. */
async function freeLowPort(): Promise<number> {
  for (let port = 21_050; ; port += 1) {
    const server = createServer()
    const isFree = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    await new Promise(resolve => server.close(resolve))
    if (isFree) return port
    if (port > 32_000) throw new Error('no port below 32768 is free')
  }
}

const networkInterface = (): string => Object.keys(networkInterfaces()).find(name => name !== 'lo') ?? 'lo'

/** What a snapshot has too; an item for each of its values that Zabbix knows. */
const itemsOf = (network: string): string[] => [
  ...['idle', 'user', 'system'].map(type => `system.cpu.util[,${type}]`),
  'system.cpu.num',
  ...['total', 'available', 'used', 'free', 'pavailable'].map(mode => `vm.memory.size[${mode}]`),
  ...['total', 'used', 'free', 'pused'].map(type => `system.swap.size[,${type}]`),
  ...['total', 'used', 'free', 'pused'].map(mode => `vfs.fs.size[/,${mode}]`),
  ...['read', 'write'].flatMap(way => ['operations', 'sectors'].map(type => `vfs.dev.${way}[,${type}]`)),
  ...['in', 'out'].flatMap(way =>
    ['bytes', 'packets', 'errors', 'dropped'].map(mode => `net.if.${way}[${network},${mode}]`),
  ),
  'net.tcp.socket.count[,,,,established]',
  'proc.num',
  'system.users.num',
  'system.uptime',
]

/** One passive check: a header of 13 bytes (ZBXD, flags, length), then the key; the answer is framed alike. */
function check(port: number, key: string): Promise<string> {
  const head = Buffer.alloc(13)
  head.write('ZBXD\x01', 'latin1')
  head.writeUInt32LE(Buffer.byteLength(key), 5)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.concat([head, Buffer.from(key)])))
    socket.setTimeout(5_000, () => socket.destroy(new Error(`no answer to ${key}`)))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('end', () => {
      const value = Buffer.concat(chunks).subarray(13).toString('utf8')
      if (value === '' || value.startsWith('ZBX_')) reject(new Error(`${key}: ${value.replaceAll('\0', ' ')}`))
      else resolve(value)
    })
  })
}
