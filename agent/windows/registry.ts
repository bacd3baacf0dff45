import { foreign, readWide, WindowsError } from './library.ts'

const regGetValue = foreign<
  [root: number, key: string, name: string, flags: number, type: null, data: Buffer, bytes: Buffer]
>(
  'advapi32.dll',
  'int32_t RegGetValueW(intptr_t root, str16 key, str16 name, uint32_t flags, void *type, void *data, void *bytes)',
)

const regDeleteValue = foreign<[root: number, key: string, name: string]>(
  'advapi32.dll',
  'int32_t RegDeleteKeyValueW(intptr_t root, str16 key, str16 name)',
)

/** The handle is this 32-bit number with its sign. */
const LOCAL_MACHINE = 0x8000_0002 | 0
const TEXT = 0x0000_0002
const NUMBER = 0x0000_0010
/** The registry of the system itself, whatever this process is built for. */
const VIEW_64 = 0x0001_0000
const ERROR_FILE_NOT_FOUND = 2
/** More than any value that is asked for here. */
const ROOM_BYTES = 2_048

/** A text of HKEY_LOCAL_MACHINE; absent when it is not there. Fails with a WindowsError. */
export function readRegistryText(key: string, name: string): string | undefined {
  const data = read(key, name, TEXT)
  return data && readWide(data)
}

/** A number of 32 bits of HKEY_LOCAL_MACHINE; absent when it is not there. Fails with a WindowsError. */
export function readRegistryNumber(key: string, name: string): number | undefined {
  const data = read(key, name, NUMBER)
  return data && data.length >= 4 ? data.readUInt32LE() : undefined
}

/** Deletes a value of HKEY_LOCAL_MACHINE, if it is there. Fails with a WindowsError. */
export function eraseRegistryValue(key: string, name: string): void {
  const code = regDeleteValue(LOCAL_MACHINE, key, name)
  if (code !== 0 && code !== ERROR_FILE_NOT_FOUND) throw new WindowsError(`registry value ${key}\\${name}`, code)
}

function read(key: string, name: string, kind: number): Buffer | undefined {
  const data = Buffer.alloc(ROOM_BYTES)
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(ROOM_BYTES)
  const code = regGetValue(LOCAL_MACHINE, key, name, kind | VIEW_64, null, data, bytes)
  if (code === ERROR_FILE_NOT_FOUND) return undefined
  if (code !== 0) throw new WindowsError(`registry value ${key}\\${name}`, code)
  return data.subarray(0, bytes.readUInt32LE())
}
