import { remoteWrite } from '../../relay/sinks/remote-write.ts'
import type { Batch } from '../../relay/sinks/sink.ts'
import type { Snapshot } from '../../shared/wire.ts'

const SETTINGS = remoteWrite.settings.parse({ url: 'http://127.0.0.1/api/v1/write' })

/** A host's snapshot as the relay's sinks take it. */
export const batchOf = (host: number, snapshot: Snapshot): Batch => ({
  tenant: { id: 'ooo-romashka', name: 'ООО Ромашка' },
  host: { id: `h${host}`, name: `БУХ-1С-${host}`, labels: {} },
  source: 'agent',
  snapshots: [snapshot],
  entries: [],
})

/** The snapshot as one remote-write request's body. */
export function writeRequestOf(host: number, snapshot: Snapshot): Uint8Array {
  const body = remoteWrite.encode([batchOf(host, snapshot)], SETTINGS)?.body
  if (!(body instanceof Uint8Array)) throw new Error('a snapshot makes a remote-write request')
  return body
}
