import { foreign, readWide } from './library.ts'

const driveType = foreign<[string], number>('kernel32.dll', 'uint32_t GetDriveTypeW(str16 root)')
const getConnection = foreign<[string, Buffer, Buffer]>(
  'mpr.dll',
  'uint32_t WNetGetConnectionW(str16 local, void *remote, void *chars)',
)

const DRIVE_NO_ROOT_DIR = 1
const DRIVE_REMOTE = 4
const MAX_CHARS = 1024

/** What a drive letter (`Z:\`) stands for in this session: LocalSystem has none of a user's mapped drives. */
export function driveKind(root: string): 'mapped' | 'absent' | 'local' {
  const kind = driveType(root.endsWith('\\') ? root : `${root}\\`)
  if (kind === DRIVE_REMOTE) return 'mapped'
  return kind === DRIVE_NO_ROOT_DIR ? 'absent' : 'local'
}

/** The share (`\\server\share`) behind a mapped drive (`Z:`); absent when Windows does not tell. */
export async function mappedTo(drive: string): Promise<string | undefined> {
  const remote = Buffer.alloc(MAX_CHARS * 2)
  const chars = Buffer.alloc(4)
  chars.writeUInt32LE(MAX_CHARS)
  const { result } = await getConnection.later(drive, remote, chars)
  return result === 0 ? readWide(remote) : undefined
}
