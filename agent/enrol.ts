import { rmSync } from 'node:fs'
import * as z from 'zod'
import { asProblem, type Problem } from '../shared/problem.ts'
import { type EnrolReply, type EnrolRequest, enrolReply, enrolRequest } from '../shared/wire.ts'
import { systemClock } from './clock.ts'
import { checkRelayUrl, newMachineId, readConfig, type StatePaths, writeEnrolment } from './config.ts'
import { explainFailure, sayInBoth } from './doctor/explain.ts'
import { CATALOGUES } from './doctor/text/catalogue.ts'
import { EnrolmentRefusedError, UserError } from './error.ts'
import { makePrivateDirectory } from './file.ts'
import { readHostname, readMachineId } from './identity.ts'
import { decodeJson } from './json.ts'
import type { Language } from './language.ts'
import { takeLock } from './lock.ts'
import { writeConnection } from './network/connection.ts'
import type { Connection, Exchange } from './relay.ts'
import { VERSION } from './version.ts'

export interface EnrolOptions {
  readonly relay: string
  readonly code: string
  /** What people call the host; the machine's own name when absent. */
  readonly name?: string | undefined
  readonly allowHttp: boolean
  readonly os: string
  /** How the relay is reached, now and from then on. */
  readonly connection: Connection
  /** Of whoever reads an error; English is always said. */
  readonly language?: Language
}

export interface Enrolled {
  readonly hostId: string
  readonly routes: readonly string[]
}

/** Trades a code for this host's own token and keeps it. Fails with a UserError that says what to do. */
export async function enrol(paths: StatePaths, options: EnrolOptions, exchange: Exchange): Promise<Enrolled> {
  const relay = checkRelayUrl(options.relay, options.allowHttp)
  makePrivateDirectory(paths.directory)
  const unlock = takeLock(paths.lock)
  try {
    const before = readConfigIfGood(paths)
    const machineId = before?.machineId ?? readMachineId(paths.directory) ?? newMachineId()
    const reply = await requestEnrolment(relay, buildRequest(options, machineId), options, exchange)
    const routes = usableRoutes(reply.routes, relay, options.allowHttp)
    // What an earlier host left behind must not be sent under the new one's name.
    if (before?.hostId !== reply.hostId) rmSync(paths.spool, { recursive: true, force: true })
    const config = {
      hostId: reply.hostId,
      routes,
      ...(options.allowHttp && { allowHttp: true }),
      machineId,
      ...writeConnection(paths, options.connection),
      ...(before?.host && { host: before.host }),
    }
    writeEnrolment(paths, config, reply.config, reply.token)
    return { hostId: reply.hostId, routes }
  } finally {
    unlock()
  }
}

/** Enrolling again is the way out of a damaged file. */
export function readConfigIfGood(paths: StatePaths) {
  try {
    return readConfig(paths)
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}

function buildRequest({ code, name, os }: EnrolOptions, machineId: string): EnrolRequest {
  const hostname = readHostname()
  const request = enrolRequest.safeParse({ code, hostname, name, os, version: VERSION, machineId })
  if (!request.success) throw new UserError(`This cannot be enrolled: ${z.prettifyError(request.error)}`)
  return request.data
}

async function requestEnrolment(
  relay: string,
  request: EnrolRequest,
  { connection, language = 'en' }: EnrolOptions,
  exchange: Exchange,
): Promise<EnrolReply> {
  const bytes = new TextEncoder().encode(JSON.stringify(request))
  const reply = await exchange({ method: 'POST', route: relay, path: 'v1/enrol', body: { bytes, gzip: false } })
  const body = reply.status === null ? undefined : decodeJson(reply.body)
  const parsed = enrolReply.safeParse(body)
  if (reply.status !== null && reply.status < 300 && parsed.success) return parsed.data
  const problem = asProblem(body)
  if (problem) throw refusal(problem, language)
  const why = await explainFailure(relay, reply, connection, systemClock)
  // Before the enrolment there is no configuration that `network` could change.
  const said = sayInBoth(why, language).replaceAll('onec-agent network', 'onec-agent enrol …')
  throw new UserError(`Could not reach the relay.\n${said}`)
}

/** Final unless the relay cannot answer now. */
function refusal({ code, detail, title, status }: Problem, language: Language): UserError {
  const { refusals } = CATALOGUES[language].words
  const english = `The relay refused the enrolment: ${detail || title} (${code})`
  const own = language === 'en' || !Object.hasOwn(refusals, code) ? '' : `\n${refusals[code]}`
  return status < 500 && status !== 429 ? new EnrolmentRefusedError(english + own) : new UserError(english + own)
}

/** The relay's routes that this host may use; with none of them the one that it enrolled at. */
function usableRoutes(routes: readonly string[], relay: string, allowHttp: boolean): [string, ...string[]] {
  const [first, ...others] = routes.flatMap(route => {
    try {
      return [checkRelayUrl(route, allowHttp)]
    } catch {
      return []
    }
  })
  return first === undefined ? [relay] : [first, ...others]
}
