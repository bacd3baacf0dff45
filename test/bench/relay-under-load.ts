import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AdminClient, adminClient } from '../../relay/cli/client.ts'
import type { EnrolReply } from '../../shared/wire.ts'
import { until } from '../support/process.ts'
import { freePort } from '../support/real-server-process.ts'
import { openStack } from '../support/stack.ts'

const ENROLLING_AT_ONCE = 8
const DRAINED_WITHIN_MS = 90_000

/** A tenant of the relay that is measured. */
export interface LoadedTenant {
  readonly id: string
  readonly tokens: readonly string[]
}

export interface RelayUnderLoad {
  readonly port: number
  /** Of workerd alone. */
  readonly pid: number
  readonly folder: string
  readonly admin: AdminClient
  /** A tenant with its hosts, enrolled over the API. */
  addTenant(name: string, hosts: number): Promise<LoadedTenant>
  /** Resolves when every destination of these tenants has delivered all there is. */
  drained(...tenants: readonly LoadedTenant[]): Promise<void>
  remove(): Promise<void>
}

/** The built relay under `workerd serve`, as a self-hoster runs it. */
export async function openRelayUnderLoad(): Promise<RelayUnderLoad> {
  const stack = await openStack(await freePort())
  await stack.serve()
  const token = await readFile(join(stack.folder, 'data.private', 'operator.token'), 'utf8')
  const url = `http://127.0.0.1:${stack.port}`
  const admin = adminClient({ url, token: token.trim() })
  return {
    port: stack.port,
    pid: await workerdOf(join(stack.folder, 'data')),
    folder: stack.folder,
    admin,
    async addTenant(name, hosts) {
      const { id } = await admin.addTenant({ name })
      const { code } = await admin.addEnrolment(id, { uses: hosts })
      const tokens: string[] = []
      const enrolFrom = async (first: number) => {
        for (let host = first; host < hosts; host += ENROLLING_AT_ONCE) tokens[host] = await enrol(url, code, id, host)
      }
      await Promise.all(Array.from({ length: ENROLLING_AT_ONCE }, (_, first) => enrolFrom(first)))
      return { id, tokens }
    },
    async drained(...tenants) {
      for (const { id } of tenants) {
        const done = await until(() => isDrained(admin, id), DRAINED_WITHIN_MS, 100)
        if (!done) throw new Error(`${id} was not delivered: ${JSON.stringify(await admin.destinations(id))}`)
      }
    },
    remove: () => stack.remove(),
  }
}

async function isDrained(admin: AdminClient, tenant: string): Promise<boolean> {
  const { destinations } = await admin.destinations(tenant)
  const lost = destinations.find(({ deadLetters, droppedSamples }) => deadLetters + droppedSamples > 0)
  if (lost) throw new Error(`${lost.name} of ${tenant} lost samples, so what is measured is not delivery`)
  return destinations.every(({ backlogBatches }) => backlogBatches === 0)
}

/** The command line notes what it runs. */
async function workerdOf(data: string): Promise<number> {
  const running = JSON.parse(await readFile(join(data, 'running.json'), 'utf8')) as {
    children: { name: string; pid: number }[]
  }
  const pid = running.children.find(({ name }) => name === 'relay')?.pid
  if (pid === undefined) throw new Error('the relay does not say which process is workerd')
  return pid
}

async function enrol(url: string, code: string, tenant: string, host: number): Promise<string> {
  const hostname = `БУХ-1С-${host}`
  const machine = {
    code,
    hostname,
    os: 'Windows Server 2022',
    version: '1.0.0',
    machineId: `machine ${tenant} ${host}`,
  }
  const reply = await fetch(`${url}/v1/enrol`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(machine),
    signal: AbortSignal.timeout(20_000),
  })
  if (!reply.ok) throw new Error(`enrolment answered ${reply.status}: ${await reply.text()}`)
  return ((await reply.json()) as EnrolReply).token
}
