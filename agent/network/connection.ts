import type { AgentConfig, StatePaths } from '../config.ts'
import { systemCode, UserError } from '../error.ts'
import { removeIfThere, writeFileAtomic } from '../file.ts'
import type { Connection } from '../relay.ts'
import { readSecret, writeSecret } from '../secret.ts'
import { readTypedText } from '../typed-text.ts'
import { type ProxyAddress, parseProxy } from './proxy.ts'
import { readCaFile } from './trust.ts'

/** How this host reaches its relay, as its configuration has it. Fails with a UserError for what cannot be used. */
export function readConnection(paths: StatePaths, config: Pick<AgentConfig, 'proxy' | 'ca'> | undefined): Connection {
  const ca = config?.ca === undefined ? [] : readCaFile(config.ca)
  if (config?.proxy === undefined) return { ca }
  const login = readSecret(paths.proxyLogin)
  return { ca, proxy: { ...parseProxy(config.proxy), ...(login !== undefined && { login }) } }
}

/**
 * Keeps it: the login sealed in a file of its own, the certificates copied, as a file on somebody's desktop is not there
 * for a service. What it returns belongs into `config.json`.
 */
export function writeConnection(paths: StatePaths, { proxy, ca }: Connection): Pick<AgentConfig, 'proxy' | 'ca'> {
  if (proxy?.login === undefined) removeIfThere(paths.proxyLogin)
  else writeSecret(paths.proxyLogin, proxy.login)
  if (ca.length === 0) removeIfThere(paths.ca)
  else writeFileAtomic(paths.ca, `${ca.join('\n')}\n`)
  return { ...(proxy && { proxy: proxy.url }), ...(ca.length > 0 && { ca: paths.ca }) }
}

/** `--proxy` and `--ca` as given; "none" takes one away, absent leaves it as it was. */
export interface ConnectionOptions {
  readonly proxy?: string
  readonly ca?: string
}

/** What the command line does not speak of stays; what it replaces need not be readable. */
export async function openConnection(
  paths: StatePaths,
  config: Pick<AgentConfig, 'proxy' | 'ca'> | undefined,
  options: ConnectionOptions,
  readStdin: () => Promise<string>,
): Promise<Connection> {
  const { proxy, ca } = config ?? {}
  const kept = { ...(proxy && !options.proxy && { proxy }), ...(ca && !options.ca && { ca }) }
  return await changeConnection(readConnection(paths, kept), options, readStdin)
}

async function changeConnection(
  before: Connection,
  options: ConnectionOptions,
  readStdin: () => Promise<string>,
): Promise<Connection> {
  return {
    proxy: options.proxy === undefined ? before.proxy : await readProxyOption(options.proxy, readStdin),
    ca: options.ca === undefined ? before.ca : options.ca === 'none' ? [] : readCaFile(options.ca),
  }
}

/** A URL; or `-` (standard input) or `file:PATH`, which hold one, its login included. */
async function readProxyOption(source: string, readStdin: () => Promise<string>): Promise<ProxyAddress | undefined> {
  if (source === 'none') return undefined
  if (source === '-') return parseProxy(await readStdin())
  if (source.startsWith('file:')) return parseProxy(readProxyFile(source.slice('file:'.length)))
  const proxy = parseProxy(source)
  if (proxy.login !== undefined)
    throw new UserError(
      '--proxy takes no password on the command line: the process list would show it. Put the whole URL into a file: --proxy file:PATH, or give it on standard input: --proxy -',
    )
  return proxy
}

function readProxyFile(file: string): string {
  try {
    return readTypedText(file)
  } catch (error) {
    throw new UserError(`--proxy: ${file} cannot be read: ${systemCode(error) ?? error}. Check the path and rights.`)
  }
}
