import { foreign, readWide } from './library.ts'

const getConnection = foreign<[string, Buffer, Buffer]>(
  'mpr.dll',
  'uint32_t WNetGetConnectionW(str16 local, void *remote, void *chars)',
)

const MAX_CHARS = 1024

/** The share (`\\server\share`) behind a mapped drive (`Z:`) of this session; absent when Windows does not tell. */
export async function mappedTo(drive: string): Promise<string | undefined> {
  const remote = Buffer.alloc(MAX_CHARS * 2)
  const chars = Buffer.alloc(4)
  chars.writeUInt32LE(MAX_CHARS)
  const { result } = await getConnection.later(drive, remote, chars)
  return result === 0 ? readWide(remote) : undefined
}
