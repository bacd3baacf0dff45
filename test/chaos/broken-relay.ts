import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleRelay } from '../support/bundle.ts'

export const BREAKS = ['forget-row', 'ack-early'] as const
export type Break = (typeof BREAKS)[number]

interface Patch {
  /** Below the package's folder. */
  readonly file: string
  readonly from: string
  readonly to: string
}

/** What each mistake would look like in the source; a piece that is not found there exactly once is an error. */
const PATCHES: Readonly<Record<Break, readonly Patch[]>> = {
  'forget-row': [
    {
      file: 'relay/tenant/deliveries.ts',
      from: 'rowsFrom: seq => this.#state.outbox.from(seq),',
      // The first one from the twentieth on that has anything of a host: no pump ever sees it.
      // Posts share rows, so that there are few.
      to: `rowsFrom: seq => {
      const rows = this.#state.outbox.from(seq)
      lost ??= rows.find(row => row.seq >= 20 && row.seq < 32 && row.batches > 0)?.seq
      return rows.filter(row => row.seq !== lost)
    },`,
    },
    {
      file: 'relay/tenant/deliveries.ts',
      from: '/** The destinations of a tenant and their pumps',
      to: 'let lost: number | undefined\n\n/** The destinations of a tenant and their pumps',
    },
  ],
  'ack-early': [
    {
      file: 'relay/tenant/object.ts',
      from: 'await committed\n    this.#pending.delete(key)\n',
      to: 'void committed.then(() => this.#pending.delete(key))\n',
    },
    {
      file: 'relay/tenant/object.ts',
      from: 'await state.append(items, Date.now())\n',
      to: 'await new Promise(resolve => setTimeout(resolve, 400))\n        await state.append(items, Date.now())\n',
    },
  ],
}

/** A bundle of the relay with one mistake in it; answers its file. */
export async function breakRelay(kind: Break): Promise<string> {
  const file = join(mkdtempSync(join(tmpdir(), 'onec-broken-')), 'index.js')
  writeFileSync(file, await bundleRelay(path => patch(path, PATCHES[kind])))
  return file
}

function patch(path: string, patches: readonly Patch[]): string | undefined {
  const own = patches.filter(({ file }) => path.endsWith(`/${file}`))
  if (own.length === 0) return undefined
  return own.reduce(
    (source, { from, to }) => {
      const parts = source.split(from)
      if (parts.length !== 2)
        throw new Error(`${path} has "${from}" ${parts.length - 1} times: mend test/chaos/broken-relay.ts`)
      return parts.join(to)
    },
    readFileSync(path, 'utf8'),
  )
}
