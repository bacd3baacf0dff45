import { mkdir } from 'node:fs/promises'
import { type AdminClient, adminClient, type TenantSummary } from './client.ts'
import { type Imported, importDestinations } from './destination-import.ts'
import type { Variables } from './environment.ts'
import { readImportRecord, writeImportRecord } from './import-record.ts'
import { bindKeys } from './key-checks.ts'
import { builtFile, packageRoot, workerdBinary } from './package-root.ts'
import { type PrivateFiles, type PrivatePaths, readPrivateFiles } from './private-directory.ts'
import type { WantedDestination } from './seed-destinations.ts'
import { type Claim, claimDirectory } from './serve/claim.ts'
import { checkPort } from './serve/port.ts'
import { openRelay, type RunningRelay } from './serve/relay.ts'
import { systemCode, UserError } from './user-error.ts'

export interface SelfHostedOptions {
  /** Absolute. */
  readonly dataDirectory: string
  readonly paths: PrivatePaths
  readonly host: string
  readonly port: number
  /** The relay's bundle; absent: the one that the build made. */
  readonly bundle?: string
  readonly variables: Variables
  readonly stopping: AbortSignal
  readonly claim: Claim
  /** Lines of workerd, the relay's log among them. */
  say(line: string): void
}

export interface SelfHosted {
  readonly relay: RunningRelay
  readonly client: AdminClient
}

/** Makes the data directory when it is not there, and takes it for this process. */
export async function openDataDirectory(dataDirectory: string, say: (line: string) => void): Promise<Claim> {
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new UserError(`The data directory ${dataDirectory} cannot be made: ${systemCode(error) ?? String(error)}.`, {
      next: 'Check the path (--data, RELAY_DATA) and who may write there.',
    })
  }
  return claimDirectory(dataDirectory, say)
}

/** Runs the relay on this machine with its state in a directory that was claimed before. */
export async function openSelfHosted(options: SelfHostedOptions): Promise<SelfHosted> {
  const root = packageRoot()
  const bundle = options.bundle ?? builtFile(root, 'dist/relay/index.js')
  const workerd = workerdBinary(root)
  const keys = await keysFor(options)
  await checkPort(options.host, options.port)
  const relay = await openRelay({ ...options, workerd, bundle, keys })
  return { relay, client: adminClient({ url: relay.url, token: keys.operatorToken }) }
}

async function keysFor({ dataDirectory, paths }: SelfHostedOptions): Promise<PrivateFiles> {
  const files = await readPrivateFiles(paths)
  await bindKeys(dataDirectory, files.keyring, paths.keys)
  return files
}

/** The tenant of that name, made when there is none. */
export async function ensureTenant(client: AdminClient, name: string): Promise<{ id: string; name: string }> {
  const { tenants } = await client.tenants()
  const named = (one: TenantSummary) => one.name === name || one.id === name
  return tenants.find(named) ?? (await client.addTenant({ name }))
}

/** Imports destinations and keeps the record of it in the private directory. */
export async function importInto(
  client: AdminClient,
  tenantId: string,
  wanted: readonly WantedDestination[],
  recordPath: string,
): Promise<readonly Imported[]> {
  const { imported, record } = await importDestinations(client, tenantId, wanted, await readImportRecord(recordPath))
  await writeImportRecord(recordPath, record)
  return imported
}
