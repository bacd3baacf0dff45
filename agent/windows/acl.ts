import { UserError } from '../error.ts'
import {
  copyMemory,
  foreign,
  type Handle,
  lastError,
  localFree,
  readAddress,
  readWide,
  WindowsError,
} from './library.ts'
import { PRIVATE_SDDL } from './sddl.ts'

const SDDL_REVISION = 1
const SE_FILE_OBJECT = 1
const OWNER_SECURITY_INFORMATION = 0x1
const DACL_SECURITY_INFORMATION = 0x4
const PROTECTED_DACL_SECURITY_INFORMATION = 0x80000000
const ERROR_FILE_NOT_FOUND = 2
const ERROR_ALREADY_EXISTS = 183

const parseSddl = foreign<[string, number, Buffer, null]>(
  'advapi32.dll',
  'int ConvertStringSecurityDescriptorToSecurityDescriptorW(str16 text, uint32_t revision, void *out, void *bytes)',
)
const formatSddl = foreign<[Handle, number, number, Buffer, Buffer]>(
  'advapi32.dll',
  'int ConvertSecurityDescriptorToStringSecurityDescriptorW(intptr_t sd, uint32_t revision, uint32_t what, void *out, void *chars)',
)
const ownerOf = foreign<[Handle, Buffer, Buffer]>(
  'advapi32.dll',
  'int GetSecurityDescriptorOwner(intptr_t sd, void *owner, void *defaulted)',
)
const daclOf = foreign<[Handle, Buffer, Buffer, Buffer]>(
  'advapi32.dll',
  'int GetSecurityDescriptorDacl(intptr_t sd, void *present, void *dacl, void *defaulted)',
)
const getNamed = foreign<[string, number, number, null, null, null, null, Buffer]>(
  'advapi32.dll',
  'uint32_t GetNamedSecurityInfoW(str16 name, int type, uint32_t what, void *owner, void *group, void *dacl, void *sacl, void *out)',
)
const setNamed = foreign<[string, number, number, Handle, null, Handle, null]>(
  'advapi32.dll',
  'uint32_t SetNamedSecurityInfoW(str16 name, int type, uint32_t what, intptr_t owner, void *group, intptr_t dacl, void *sacl)',
)
const createDirectory = foreign<[string, Buffer]>('kernel32.dll', 'int CreateDirectoryW(str16 name, void *attributes)')

/** Makes a directory that is private from its first moment on; false when something of that name is there. */
export function makePrivateDirectory(directory: string): boolean {
  return withDescriptor(PRIVATE_SDDL, descriptor => {
    // SECURITY_ATTRIBUTES: its own size, the descriptor, and whether the handle is inherited.
    const attributes = Buffer.alloc(24)
    attributes.writeUInt32LE(attributes.length, 0)
    attributes.writeBigUInt64LE(descriptor, 8)
    if (createDirectory(directory, attributes)) return true
    const error = lastError()
    if (error === ERROR_ALREADY_EXISTS) return false
    throw failure('CreateDirectoryW', directory, error)
  })
}

/** Owner and access list as SDDL text; absent when nothing of that name is there. */
export function readSddl(name: string): string | undefined {
  const out = Buffer.alloc(8)
  const what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION
  const error = getNamed(name, SE_FILE_OBJECT, what, null, null, null, null, out)
  if (error === ERROR_FILE_NOT_FOUND) return undefined
  if (error !== 0) throw failure('GetNamedSecurityInfoW', name, error)
  const descriptor = readAddress(out)
  try {
    return toText(descriptor, what)
  } finally {
    localFree(descriptor)
  }
}

/** Takes the directory and all that inherits from it out of everybody's hands but SYSTEM's and the administrators'. */
export function makePrivate(name: string): void {
  withDescriptor(PRIVATE_SDDL, descriptor => {
    const [owner, dacl, flag] = [Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(4)]
    if (!ownerOf(descriptor, owner, flag)) throw new WindowsError('GetSecurityDescriptorOwner', lastError())
    if (!daclOf(descriptor, Buffer.alloc(4), dacl, flag))
      throw new WindowsError('GetSecurityDescriptorDacl', lastError())
    const what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION
    const error = setNamed(name, SE_FILE_OBJECT, what >>> 0, readAddress(owner), null, readAddress(dacl), null)
    if (error !== 0) throw failure('SetNamedSecurityInfoW', name, error)
  })
}

function withDescriptor<R>(sddl: string, use: (descriptor: bigint) => R): R {
  const out = Buffer.alloc(8)
  if (!parseSddl(sddl, SDDL_REVISION, out, null)) throw new WindowsError('SDDL', lastError())
  const descriptor = readAddress(out)
  try {
    return use(descriptor)
  } finally {
    localFree(descriptor)
  }
}

function toText(descriptor: bigint, what: number): string {
  const [out, chars] = [Buffer.alloc(8), Buffer.alloc(4)]
  if (!formatSddl(descriptor, SDDL_REVISION, what, out, chars)) throw new WindowsError('SDDL', lastError())
  const address = readAddress(out)
  try {
    return readWide(copyMemory(address, chars.readUInt32LE(0) * 2))
  } finally {
    localFree(address)
  }
}

/** Access denied is a person's to put right; the rest is not expected. */
function failure(call: string, name: string, error: number): Error {
  const cause = new WindowsError(call, error)
  return error === 5 ? new UserError(`${name}: ${cause.message}. Run it as administrator.`) : cause
}
