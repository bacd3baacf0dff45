import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { destinationTable } from '../../../relay/cli/destination-table.ts'
import { type SimulatedTenant, simulateTenant } from '../../support/simulated-tenant.ts'
import { type StandIn, startStandIn } from '../../support/stand-ins/stand-in.ts'

/** Every sink says 401 for an hour, then takes again: nothing within the budget is lost, and everybody knew why. */

const MINUTE = 60_000
const HOSTS = ['h1', 'h2']
const KINDS = ['remote-write', 'influxdb', 'loki', 'pushgateway'] as const
const VALUE = 'onec_timestamp_unix'

let sinks: Record<(typeof KINDS)[number], StandIn>
let tenant: SimulatedTenant
/** The stand-ins refuse what is far from their own clock, the real one: the simulated hours end now. */
let startMs: number

beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const started = await Promise.all(KINDS.map(kind => startStandIn(kind)))
  sinks = Object.fromEntries(KINDS.map((kind, index) => [kind, started[index]])) as typeof sinks
  startMs = Math.floor(Date.now() / MINUTE) * MINUTE - 100 * MINUTE
  tenant = await simulateTenant(startMs, HOSTS)
  for (const kind of KINDS) {
    const { url } = sinks[kind]
    const more = kind === 'influxdb' ? { api: 'v1', db: 'onec' } : {}
    await tenant.add({ name: `Облако ${kind}`, sink: kind, settings: { url, ...more } })
  }
})

afterEach(async () => {
  await Promise.all(Object.values(sinks).map(sink => sink.stop()))
  vi.restoreAllMocks()
})

const post = (atMs: number) => {
  for (const host of HOSTS) tenant.post(host, [{ atMs, monoMs: 1, metrics: { [VALUE]: atMs / 1_000 } }], [atMs])
}
const minutes = (to: number) => Array.from({ length: to }, (_, index) => startMs + (index + 1) * MINUTE)
const view = (kind: string) => tenant.destination(`Облако ${kind}`)
const timesIn = (kind: (typeof KINDS)[number], is: (name: string) => boolean) =>
  [...sinks[kind].series().values()]
    .filter(({ name }) => is(name))
    .map(({ samples }) => samples.map(({ atMs }) => atMs))

test('for an hour, then it takes again', async () => {
  await tenant.pass(5, post)
  for (const sink of Object.values(sinks)) sink.behave({ kind: 'status', status: 401, body: 'Срок ключа истёк' })
  await tenant.pass(60, post)
  const sinceMs = startMs + 6 * MINUTE
  for (const kind of KINDS)
    expect(view(kind), kind).toMatchObject({
      state: 'suspended',
      reason: 'HTTP 401: Срок ключа истёк',
      sinceMs,
      droppedSamples: 0,
      deadLetters: 0,
    })
  // What the API answers is what the command line shows.
  const shown = destinationTable(
    tenant.deliveries.records.map(record => tenant.deliveries.view(record)),
    tenant.clock.now,
  )
  expect(shown.match(/suspended for 59 min .*HTTP 401: Срок ключа истёк/g)).toHaveLength(4)
  const suspensions = tenant.state.store.events(100).filter(({ kind }) => kind === 'destination_suspended')
  expect(suspensions.map(({ atMs, subject, message }) => ({ atMs, subject, message })).toSorted(bySubject)).toEqual(
    KINDS.map(kind => ({ atMs: sinceMs, subject: `Облако ${kind}`, message: 'HTTP 401: Срок ключа истёк' })).toSorted(
      bySubject,
    ),
  )
  // One request in 15 minutes each: at the 6th, 21st, 36th and 51st.
  for (const kind of KINDS)
    expect(
      sinks[kind].requests().filter(({ status }) => status === 401),
      kind,
    ).toHaveLength(4)

  for (const sink of Object.values(sinks)) sink.behave({ kind: 'ok' })
  await tenant.pass(10, post)
  for (const kind of KINDS)
    expect(view(kind), kind).toMatchObject({
      state: 'active',
      reason: null,
      backlogBatches: 0,
      droppedSamples: 0,
      deadLetters: 0,
    })
  expect(timesIn('remote-write', name => name === VALUE)).toEqual([minutes(75), minutes(75)])
  expect(timesIn('influxdb', name => name.endsWith('timestamp_unix'))).toEqual([minutes(75), minutes(75)])
  const entries = timesIn('loki', () => true).filter(({ length }) => length > 10)
  expect(entries).toEqual([minutes(75), minutes(75)])
  for (const sink of Object.values(sinks)) expect(sink.defects()).toEqual([])
  const resumed = tenant.state.store.events(100).filter(({ kind }) => kind === 'destination_resumed')
  expect(resumed).toHaveLength(4)
})

const bySubject = (one: { readonly subject: string }, other: { readonly subject: string }) =>
  one.subject < other.subject ? -1 : 1
