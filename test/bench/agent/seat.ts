import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type StatePaths, statePaths } from '../../../agent/config.ts'
import { MALLOC_ENVIRONMENT } from '../../../agent/heap.ts'
import { openSurroundings } from '../../soak/surroundings.ts'
import { type Running, run } from '../../support/process.ts'
import { freePort } from '../../support/real-server-process.ts'
import { openStack } from '../../support/stack.ts'
import { startTlsFront } from './tls-front.ts'

const TENANT = 'ООО Ромашка'
const ENROLLED_WITHIN_MS = 20_000

/** A relay under workerd behind TLS, and an executable enrolled with it that follows a log file and watches backups. */
export interface Seat {
  readonly paths: StatePaths
  /** `wrapper`: a program and its arguments that starts it. */
  run(wrapper?: readonly string[]): Running
  close(): Promise<void>
}

export async function openSeat(executable: string): Promise<Seat> {
  const stack = await openStack(await freePort())
  await stack.serve()
  const front = await startTlsFront(stack.port)
  const ca = join(stack.folder, 'ca.pem')
  await writeFile(ca, front.ca)
  const state = join(stack.folder, 'agent')
  await mkdir(state)
  const start = (args: readonly string[], wrapper: readonly string[] = []) => {
    const [command = executable, ...rest] = [...wrapper, executable, '--state', state, ...args]
    return run(command, rest, { env: { METRICS_INTERVAL: '1', NODE_EXTRA_CA_CERTS: ca, ...MALLOC_ENVIRONMENT } })
  }
  await stack.relay('tenant', 'add', TENANT)
  const { code } = await stack.json<{ code: string }>('enrol', 'create', TENANT)
  const enrolling = start(['enrol', '--relay', front.url, '--code', code, '--name', 'БУХ-1С'])
  await enrolling.says(/Enrolled/, ENROLLED_WITHIN_MS)
  const paths = statePaths(state)
  const surroundings = openSurroundings(stack.folder)
  const config = JSON.parse(await readFile(paths.config, 'utf8'))
  await writeFile(paths.config, JSON.stringify({ ...config, host: surroundings.config }))
  const over = new AbortController()
  const living = surroundings.live(over.signal)
  return {
    paths,
    run: wrapper => start(['run'], wrapper),
    async close() {
      over.abort()
      await living
      front.close()
      await stack.remove()
    },
  }
}
