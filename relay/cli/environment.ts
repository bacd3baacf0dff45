import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { isLoopback } from '../sinks/settings.ts'
import { systemCode, UserError } from './user-error.ts'

/** The only file here that reads the process's environment. */

/** Environment variables that are set to something. */
export type Variables = Readonly<Record<string, string>>

const DEFAULT_PORT = 8787

/** The process's variables over those of `.env` in the working directory. Fails when `.env` cannot be read. */
export function readVariables(workingDirectory: string): Variables {
  return mergeVariables(readEnvFile(join(workingDirectory, '.env'), true), process.env)
}

/** Variables of a `.env` file. Fails when it cannot be read; when it is not there, unless `optional`. */
export function readEnvFile(path: string, optional = false): Variables {
  try {
    return mergeVariables(parseEnv(readFileSync(path, 'utf8')))
  } catch (error) {
    if (optional && systemCode(error) === 'ENOENT') return {}
    throw new UserError(`${path} cannot be read: ${systemCode(error) ?? String(error)}.`, {
      next: 'Check the path and its permissions; it holds lines such as METRICS_INTERVAL=60.',
    })
  }
}

/** Later layers win; an empty value counts as absent, as everywhere in the seed's `.env`. */
export function mergeVariables(...layers: readonly Readonly<Record<string, string | undefined>>[]): Variables {
  const merged: Record<string, string> = {}
  for (const layer of layers)
    for (const [name, value] of Object.entries(layer)) if (value?.trim()) merged[name] = value.trim()
  return merged
}

/** Where the relay answers and whose token to use. Fails without a token file, or when http would carry it abroad. */
export function relayAccess(variables: Variables): { url: string; tokenFile: string } {
  const url = variables.ONEC_RELAY_URL ?? `http://127.0.0.1:${relayPort(variables)}`
  const tokenFile = variables.ONEC_RELAY_TOKEN_FILE
  if (!tokenFile)
    throw new UserError('ONEC_RELAY_TOKEN_FILE is not set, so there is no operator token to show to the relay.', {
      next: `export ONEC_RELAY_TOKEN_FILE=${join(privateDirectoryOf(dataDirectory(variables)), 'operator.token')}   (made by \`onec-relay init\`)`,
    })
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    throw new UserError('ONEC_RELAY_URL is not an http(s) URL.', {
      next: 'export ONEC_RELAY_URL=https://relay.example.com',
    })
  if (parsed.protocol === 'http:' && !isLoopback(parsed.hostname) && !httpAllowed(variables))
    throw new UserError(
      'ONEC_RELAY_URL is plain http to another machine, which would show the operator token to the network.',
      {
        next: 'Use https://, or set RELAY_ALLOW_HTTP=1 when the network in between is yours.',
      },
    )
  return { url: parsed.href.replace(/\/+$/, ''), tokenFile }
}

/** `RELAY_DATA`, by default `.data`: where `serve` and `start` keep the relay's state. */
export function dataDirectory(variables: Variables): string {
  return variables.RELAY_DATA ?? '.data'
}

/** Keys and tokens live beside the data directory, never in it, so that a backup of the data holds no credential. */
export function privateDirectoryOf(dataDirectoryPath: string): string {
  return `${dataDirectoryPath.replace(/[\\/]+$/, '')}.private`
}

export function relayPort(variables: Variables): number {
  return readPort(variables.RELAY_PORT ?? String(DEFAULT_PORT), 'RELAY_PORT')
}

/** Fails on what is no TCP port; 0 lets the system choose. */
export function readPort(text: string, from: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65_535))
    throw new UserError(`${from} is "${text}", which is no port.`, { next: `${from} takes 0 to 65535.` })
  return port
}

/** `METRICS_INTERVAL`, whole seconds, absent when it is not set. */
export function metricsIntervalSeconds(variables: Variables): number | undefined {
  const text = variables.METRICS_INTERVAL
  if (text === undefined) return undefined
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (seconds < 1 || seconds > 3_600)
    throw new UserError(`METRICS_INTERVAL is "${text}".`, {
      next: 'It takes whole seconds between snapshots, 1 to 3600.',
    })
  return seconds
}

/** `RELAY_ALLOW_HTTP=1`: plain http may leave this machine, for the relay's URL and imported destinations. */
export function httpAllowed(variables: Variables): boolean {
  return ['1', 'true', 'yes'].includes(variables.RELAY_ALLOW_HTTP?.toLowerCase() ?? '')
}

export function absolute(workingDirectory: string, path: string): string {
  return resolve(workingDirectory, path)
}
