import type { DestinationEdit, DestinationView } from '../tenant/rpc.ts'
import type { AdminClient } from './client.ts'
import { fingerprintOf, type ImportRecord } from './import-record.ts'
import type { WantedDestination } from './seed-destinations.ts'
import { knownSink } from './setting-options.ts'
import { UserError } from './user-error.ts'

export type ImportStep =
  | { readonly kind: 'add'; readonly wanted: WantedDestination }
  | { readonly kind: 'edit'; readonly wanted: WantedDestination; readonly id: string; readonly edit: DestinationEdit }
  | { readonly kind: 'keep'; readonly wanted: WantedDestination; readonly id: string }

export interface Imported {
  readonly name: string
  readonly sink: string
  readonly from: string
  readonly did: 'added' | 'edited' | 'unchanged'
}

/**
 * What an import has to do. A destination that was imported with the same settings, and is still of the version that
 * this made, is left alone: a needless edit would restart what it is doing. Fails when the name belongs to another sink.
 */
export function planImport(
  wanted: readonly WantedDestination[],
  existing: readonly DestinationView[],
  record: ImportRecord,
  tenantId: string,
): ImportStep[] {
  return wanted.map(want => {
    const found = existing.find(view => view.name === want.name)
    if (!found) return { kind: 'add', wanted: want }
    if (found.sink !== want.sink)
      throw new UserError(
        `The destination "${want.name}" is of sink ${found.sink}, and ${want.from} asks for ${want.sink}.`,
        {
          next: `onec-relay destination remove ${tenantId} ${want.name}   or give it another name: destination edit --name`,
        },
      )
    const known = record.destinations[`${tenantId}/${found.id}`]
    const same = known?.version === found.version && known.fingerprint === fingerprintOf(want.settings, record.salt)
    if (same) return { kind: 'keep', wanted: want, id: found.id }
    return { kind: 'edit', wanted: want, id: found.id, edit: { settings: editOf(want, found) } }
  })
}

/** What is wanted, and null for what the source speaks for and does not want. */
function editOf(want: WantedDestination, found: DestinationView): Record<string, unknown> {
  const set = [...Object.keys(found.settings), ...found.secrets]
  const gone = want.governs.filter(key => set.includes(key) && !Object.hasOwn(want.settings, key))
  return { ...Object.fromEntries(gone.map(key => [key, null])), ...want.settings }
}

/** Fails on settings that the sink would refuse, naming the variable that holds the URL and never a value. */
export function checkWanted(wanted: readonly WantedDestination[]): void {
  for (const want of wanted) {
    const parsed = knownSink(want.sink).settings.safeParse(want.settings)
    if (parsed.success) continue
    const [issue] = parsed.error.issues
    const httpOnly = issue?.message.includes('allowHttp')
    throw new UserError(
      `The destination "${want.name}" of ${want.from} is refused: ${issue?.path.map(String).join('.') || 'settings'}: ${issue?.message}.`,
      {
        next: httpOnly
          ? 'Use https, or set RELAY_ALLOW_HTTP=1.'
          : 'Correct the variables (environment or .env) and try again.',
      },
    )
  }
}

/** Carries the plan out and notes what it did in a new record. */
export async function importDestinations(
  client: AdminClient,
  tenantId: string,
  wanted: readonly WantedDestination[],
  record: ImportRecord,
): Promise<{ imported: readonly Imported[]; record: ImportRecord }> {
  checkWanted(wanted)
  const { destinations: existing } = await client.destinations(tenantId)
  const imported: Imported[] = []
  let noted = record
  for (const step of planImport(wanted, existing, record, tenantId)) {
    const { wanted: want } = step
    const done = (did: Imported['did']) => imported.push({ name: want.name, sink: want.sink, from: want.from, did })
    if (step.kind === 'keep') {
      done('unchanged')
      continue
    }
    const { name, sink, settings } = want
    const view =
      step.kind === 'add'
        ? await client.addDestination(tenantId, { name, sink, settings })
        : await client.editDestination(tenantId, step.id, step.edit)
    noted = note(noted, `${tenantId}/${view.id}`, {
      fingerprint: fingerprintOf(settings, record.salt),
      version: view.version,
    })
    done(step.kind === 'add' ? 'added' : 'edited')
  }
  return { imported, record: noted }
}

function note(record: ImportRecord, key: string, value: { fingerprint: string; version: number }): ImportRecord {
  return { ...record, destinations: { ...record.destinations, [key]: value } }
}
