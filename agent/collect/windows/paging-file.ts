import { openPdhQuery, type PdhQuery } from '../../windows/pdh.ts'

const USAGE = '\\Paging File(_Total)\\% Usage'

let open: Promise<PdhQuery> | undefined

/** Share of all page files in use, percent. */
export async function readPagingFileUsage(): Promise<number> {
  open ??= openPdhQuery([USAGE])
  try {
    const query = await open
    await query.collect()
    return query.formatted(USAGE)
  } catch (error) {
    await open.then(
      query => query.close(),
      () => undefined,
    )
    open = undefined
    throw error
  }
}
