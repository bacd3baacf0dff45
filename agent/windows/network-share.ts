import { koffi } from './koffi.ts'
import { foreign, WindowsError, wide } from './library.ts'

const RESOURCETYPE_DISK = 1
/** Nothing is asked of a person, and nothing is remembered at the next logon. */
const CONNECT_TEMPORARY = 4
const NETRESOURCE_BYTES = 48
const REMOTE_NAME_AT = 24

const ERROR_ALREADY_ASSIGNED = 85
const ERROR_SESSION_CREDENTIAL_CONFLICT = 1219

const addConnection = foreign<[Buffer, string, string, number]>(
  'mpr.dll',
  'uint32_t WNetAddConnection2W(void *resource, str16 password, str16 user, uint32_t flags)',
)
const cancelConnection = foreign<[string, number, number]>(
  'mpr.dll',
  'uint32_t WNetCancelConnection2W(str16 name, uint32_t flags, int force)',
)

/** Wrong password, unknown user, hours, expired, disabled, must change, locked out: another try makes it worse. */
const REFUSED_LOGIN: ReadonlySet<number> = new Set([86, 1326, 1327, 1328, 1329, 1330, 1331, 1793, 1907, 1909])

/** Whether the server would not have this user name and password. */
export const isRefusedLogin = (error: unknown): boolean =>
  error instanceof WindowsError && REFUSED_LOGIN.has(error.errorCode)

/**
 * Opens `\\server\share` for this logon session under another name. A connection under a name that the session has
 * already is replaced once. Rejects with a WindowsError; the calls run on I/O threads, as the server may be dead.
 */
export async function connectShare(share: string, user: string, password: string): Promise<void> {
  let error = await connect(share, user, password)
  if (error === ERROR_SESSION_CREDENTIAL_CONFLICT) {
    await cancelConnection.later(share, 0, 1)
    error = await connect(share, user, password)
  }
  if (error !== 0 && error !== ERROR_ALREADY_ASSIGNED) throw new WindowsError('WNetAddConnection2W', error)
}

async function connect(share: string, user: string, password: string): Promise<number> {
  const name = wide(share)
  const resource = netResource(koffi().address(name))
  const { result } = await addConnection.later(resource, password, user, CONNECT_TEMPORARY)
  // `resource` holds only the address of the name, which must outlive the call.
  return name.length > 0 ? result : 0
}

/** NETRESOURCEW of a disk share: scope, type, display type, usage (4 bytes each), then four pointers, the second its name. */
export function netResource(nameAddress: bigint | number): Buffer {
  const resource = Buffer.alloc(NETRESOURCE_BYTES)
  resource.writeUInt32LE(RESOURCETYPE_DISK, 4)
  resource.writeBigUInt64LE(BigInt(nameAddress), REMOTE_NAME_AT)
  return resource
}

const driveType = foreign<[string], number>('kernel32.dll', 'uint32_t GetDriveTypeW(str16 root)')
const DRIVE_NO_ROOT_DIR = 1
const DRIVE_REMOTE = 4

/** What a drive letter stands for in this session: LocalSystem has none of a user's mapped drives. */
export function driveKind(root: string): 'mapped' | 'absent' | 'local' {
  const kind = driveType(root)
  if (kind === DRIVE_REMOTE) return 'mapped'
  return kind === DRIVE_NO_ROOT_DIR ? 'absent' : 'local'
}
