import type { Result } from '../result.ts'
import { ok, refused } from '../result.ts'
import { type DataKey, open, seal } from '../secrets/envelope.ts'
import type { SinkDefinition } from '../sinks/sink.ts'
import { refusedAddress } from './address.ts'
import type { DestinationRecord } from './store.ts'

export type Settings = Readonly<Record<string, unknown>>

/** Settings as a person gave them, checked by the sink's schema; the address by where this relay runs. */
export function checkSettings(sink: SinkDefinition, given: Settings, allowPrivate: boolean): Result<Settings> {
  const parsed = sink.settings.safeParse(given)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const place = issue?.path.map(String).join('.') || 'settings'
    return refused('destination_refused', `${place}: ${issue?.message ?? 'not valid'}`)
  }
  const settings = parsed.data as Settings
  const why = typeof settings.url === 'string' ? refusedAddress(settings.url, allowPrivate) : undefined
  return why === undefined ? ok(settings) : refused('destination_refused', `url: ${why}`)
}

/** `base` with `edit` over it: null removes a field, an absent one stays. */
export function mergeSettings(base: Settings, edit: Settings): Settings {
  return Object.fromEntries(Object.entries({ ...base, ...edit }).filter(([, value]) => value !== null))
}

/** The two halves that are stored: what may be shown, and the secrets, each sealed for this place and version. */
export async function sealSettings(
  dataKey: DataKey,
  tenantId: string,
  sink: SinkDefinition,
  record: { readonly id: string; readonly version: number },
  settings: Settings,
): Promise<Pick<DestinationRecord, 'settings' | 'sealed'>> {
  const isSecret = (field: string) => sink.secretFields.includes(field as never)
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined)
  const sealed = await Promise.all(
    entries
      .filter(([field]) => isSecret(field))
      .map(async ([field, value]) => [
        field,
        await seal(dataKey, place(tenantId, record, field), JSON.stringify(value)),
      ]),
  )
  return {
    settings: Object.fromEntries(entries.filter(([field]) => !isSecret(field))),
    sealed: Object.fromEntries(sealed),
  }
}

/** The settings whole, secrets opened: what `encode` takes. Fails with `state_unreadable`. */
export async function openSettings(dataKey: DataKey, tenantId: string, record: DestinationRecord): Promise<Settings> {
  const opened = await Promise.all(
    Object.entries(record.sealed).map(async ([field, sealed]) => [
      field,
      JSON.parse(await open(dataKey, place(tenantId, record, field), sealed)),
    ]),
  )
  return { ...record.settings, ...Object.fromEntries(opened) }
}

const place = (tenantId: string, record: { readonly id: string; readonly version: number }, field: string) => ({
  tenantId,
  destinationId: record.id,
  field,
  version: record.version,
})
