import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { statePaths } from '../../../agent/config.ts'
import { UserError } from '../../../agent/error.ts'
import { enrolAsService } from '../../../agent/service/enrol-service.ts'
import type { Service } from '../../../agent/service/service.ts'
import { manualClock } from '../support/manual-clock.ts'

let directory: string
let calls: string[]
let ran: boolean
let denied: boolean
let works: boolean
const clock = manualClock()
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-enrol-'))
  calls = []
  ran = false
  denied = false
  works = true
})
afterEach(() => rmSync(directory, { recursive: true }))

function status(startedAtMs: number): string {
  const never = { lastSnapshotAtMs: null, lastDeliveredAtMs: null, problem: null, unread: [] }
  const spool = { pendingBatches: 0, oldestAtMs: null, droppedSnapshots: 0, asideBatches: 0 }
  return JSON.stringify({ version: '1', startedAtMs, hostId: 'h1', route: 'r', intervalMs: 60_000, ...never, spool })
}

const service: Service = {
  checkRights() {
    if (denied) throw new UserError('run this as administrator')
  },
  async install() {
    calls.push('install')
    return 'installed'
  },
  async start() {
    calls.push('start')
    if (works) writeFileSync(path.join(directory, 'status.json'), status(clock.nowMs()))
  },
  async stop() {
    calls.push('stop')
    return ran
  },
  uninstall: async () => '',
  describe: async () => '',
}

async function begin(enrol: () => Promise<string>) {
  const done = enrolAsService({ service, paths: statePaths(directory), clock }, enrol)
  done.catch(() => {})
  await clock.pass(60_000)
  return await done
}
const enrol = async () => {
  calls.push('enrol')
  return 'h1'
}

describe('enrol --service', () => {
  it('enrols, installs, starts, and waits for the first sign of work', async () => {
    expect(await begin(enrol)).toEqual({ enrolled: 'h1', done: 'installed', works: true })
    expect(calls).toEqual(['stop', 'enrol', 'install', 'start'])
  })

  it('takes no sign of an earlier run for it', async () => {
    works = false
    writeFileSync(path.join(directory, 'status.json'), status(clock.nowMs() - 1))
    expect(await begin(enrol)).toMatchObject({ works: false })
  })

  it('lets a service that ran go on when the relay refuses', async () => {
    ran = true
    await expect(begin(async () => Promise.reject(new UserError('refused')))).rejects.toThrow('refused')
    expect(calls).toEqual(['stop', 'start'])
  })

  it('says why the enrolment failed first where the service that ran does not start again', async () => {
    ran = true
    const start = () => Promise.reject(new UserError('no start'))
    const options = { service: { ...service, start }, paths: statePaths(directory), clock }
    await expect(enrolAsService(options, () => Promise.reject(new UserError('refused')))).rejects.toThrow(
      'refused\nno start',
    )
  })

  it('uses up no code where it may make no service', async () => {
    denied = true
    await expect(begin(enrol)).rejects.toThrow('administrator')
    expect(calls).toEqual([])
  })
})
