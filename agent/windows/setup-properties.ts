import { foreign, type Handle, readWide, WindowsError } from './library.ts'

/** HKEY_LOCAL_MACHINE, as the 64-bit handle that its 32-bit number is extended to. */
const LOCAL_MACHINE = -0x7ffffffe
const RRF_RT_REG_SZ = 0x2
const ERROR_FILE_NOT_FOUND = 2
const ERROR_MORE_DATA = 234

const KEY = 'Software\\onec-agent'

const getValue = foreign<[Handle, string, string, number, null, Buffer, Buffer]>(
  'advapi32.dll',
  'int RegGetValueW(intptr_t root, str16 key, str16 name, uint32_t flags, void *type, void *data, void *bytes)',
)
const deleteValue = foreign<[Handle, string, string]>(
  'advapi32.dll',
  'int RegDeleteKeyValueW(intptr_t root, str16 key, str16 name)',
)

export type SetupProperty = 'RelayUrl' | 'EnrolCode' | 'Proxy' | 'Ca' | 'Name'

/** A property that the MSI left in the registry; absent also when it is empty, as one that was not given is. */
export function readProperty(name: SetupProperty): string | undefined {
  const [data, bytes] = [Buffer.alloc(4096), Buffer.alloc(4)]
  bytes.writeUInt32LE(data.length)
  const error = getValue(LOCAL_MACHINE, KEY, name, RRF_RT_REG_SZ, null, data, bytes)
  if (error === ERROR_FILE_NOT_FOUND || error === ERROR_MORE_DATA) return undefined
  if (error !== 0) throw new WindowsError(`RegGetValueW ${name}`, error)
  return readWide(data).trim() || undefined
}

export function eraseProperty(name: SetupProperty): void {
  const error = deleteValue(LOCAL_MACHINE, KEY, name)
  if (error !== 0 && error !== ERROR_FILE_NOT_FOUND) throw new WindowsError(`RegDeleteKeyValueW ${name}`, error)
}
