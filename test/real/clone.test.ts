import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, until } from '../support/process.ts'
import { freePort } from '../support/real-servers.ts'
import { openStack, type Stack } from '../support/stack.ts'

/** A machine is copied with its token: the copy is kept out, says so, and becomes a host of its own. */

const TENANT = 'ООО Ромашка'

let stack: Stack
let original: Running
let copy: Running

beforeAll(async () => {
  stack = await openStack(await freePort())
  await stack.serve()
  await stack.relay('tenant', 'add', TENANT)
  await stack.enrol('БУХ-1С', TENANT)
  await cp(join(stack.folder, 'БУХ-1С'), join(stack.folder, 'КОПИЯ'), { recursive: true })
}, 60_000)

afterAll(async () => {
  await original?.end()
  await copy?.end()
  await stack?.remove()
}, 30_000)

const seen = async (name: string) => (await stack.hosts(TENANT)).find(host => host.name === name)

test('the copy is kept out and says what to do, the original goes on', async () => {
  original = stack.agent('БУХ-1С', 'run')
  await until(async () => (await seen('БУХ-1С'))?.lastSeenMs, 20_000, 500)
  copy = stack.agent('КОПИЯ', 'run')
  await copy.says(/does not let this host in \(host_cloned: .*onec-agent enrol .*--name NEW-NAME/, 30_000)
  const status = stack.agent('КОПИЯ', 'status')
  await status.ended
  expect(status.output()).toMatch(/another machine sends with the token[\s\S]*--name\s+NEW-NAME/)

  const before = (await seen('БУХ-1С'))?.lastSeenMs ?? 0
  expect(await until(async () => ((await seen('БУХ-1С'))?.lastSeenMs ?? 0) > before, 10_000, 500)).toBe(true)
  expect(original.output()).not.toContain('host_cloned')
  expect(await stack.relay('host', 'show', TENANT, 'БУХ-1С')).toContain('copy kept out')
}, 90_000)

test('enrolled under another name it is a host of its own', async () => {
  expect(await copy.end()).toBe(0)
  await stack.enrol('КОПИЯ', TENANT)
  copy = stack.agent('КОПИЯ', 'run')
  await copy.says(/Sent \d+ metrics to the relay/, 20_000)
  const [first, second] = [await seen('БУХ-1С'), await seen('КОПИЯ')]
  expect(second?.id).not.toBe(first?.id)
  expect(second?.hostname).toBe(first?.hostname)
  expect([first?.state, second?.state]).toEqual(['up', 'up'])
  expect(second?.clones).toEqual([])
  // Its spool was made anew: what it took under the other host's name is not sent under its own.
  expect(second?.spool?.id).not.toBe(first?.clones[0]?.spoolId)
}, 60_000)
