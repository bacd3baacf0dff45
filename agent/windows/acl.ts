import { UserError } from '../error.ts'
import {
  closeHandle,
  copyMemory,
  foreign,
  type Handle,
  INVALID_HANDLE,
  lastError,
  localFree,
  readAddress,
  readWide,
  WindowsError,
} from './library.ts'
import { PRIVATE_SDDL, type Security } from './sddl.ts'

const SDDL_REVISION = 1
const SE_FILE_OBJECT = 1
const OWNER_SECURITY_INFORMATION = 0x1
const DACL_SECURITY_INFORMATION = 0x4
const PROTECTED_DACL_SECURITY_INFORMATION = 0x80000000
const ERROR_FILE_NOT_FOUND = 2
const ERROR_ALREADY_EXISTS = 183

const READ_CONTROL = 0x20000
const FILE_READ_ATTRIBUTES = 0x80
const FILE_SHARE_ALL = 0x7
const OPEN_EXISTING = 3
/** Opens a directory too, and a link itself instead of what it leads to. */
const OPEN_ITSELF = 0x02000000 | 0x00200000
const FILE_ATTRIBUTE_TAG_INFO = 9
/** Bit of a reparse tag: the name stands for another one, as a junction's does; a deduplicated file's does not. */
const NAME_SURROGATE = 0x20000000

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
const createFile = foreign<[string, number, number, null, number, number, null], Handle>(
  'kernel32.dll',
  'intptr_t CreateFileW(str16 name, uint32_t access, uint32_t share, void *security, uint32_t how, uint32_t flags, void *like)',
)
const fileInformation = foreign<[Handle, number, Buffer, number]>(
  'kernel32.dll',
  'int GetFileInformationByHandleEx(intptr_t file, int what, void *out, uint32_t bytes)',
)
const getSecurity = foreign<[Handle, number, number, null, null, null, null, Buffer]>(
  'advapi32.dll',
  'uint32_t GetSecurityInfo(intptr_t file, int type, uint32_t what, void *owner, void *group, void *dacl, void *sacl, void *out)',
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

/**
 * Of what has this name, not of what a link leads to; absent when nothing has. All is asked of one open handle: what
 * another user may exchange between two questions is not two things.
 */
export function readSecurity(name: string): Security | undefined {
  const access = READ_CONTROL | FILE_READ_ATTRIBUTES
  const file = createFile(name, access, FILE_SHARE_ALL, null, OPEN_EXISTING, OPEN_ITSELF, null)
  if (Number(file) === INVALID_HANDLE) {
    const error = lastError()
    if (error === ERROR_FILE_NOT_FOUND) return undefined
    throw failure('CreateFileW', name, error)
  }
  try {
    return { sddl: readSddl(file, name), isLink: isLink(file) }
  } finally {
    closeHandle(file)
  }
}

function readSddl(file: Handle, name: string): string {
  const out = Buffer.alloc(8)
  const what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION
  const error = getSecurity(file, SE_FILE_OBJECT, what, null, null, null, null, out)
  if (error !== 0) throw failure('GetSecurityInfo', name, error)
  const descriptor = readAddress(out)
  try {
    return toText(descriptor, what)
  } finally {
    localFree(descriptor)
  }
}

/** FILE_ATTRIBUTE_TAG_INFO: attributes, and the reparse tag, 0 without one. */
function isLink(file: Handle): boolean {
  const out = Buffer.alloc(8)
  if (!fileInformation(file, FILE_ATTRIBUTE_TAG_INFO, out, out.length))
    throw new WindowsError('GetFileInformationByHandleEx', lastError())
  return (out.readUInt32LE(4) & NAME_SURROGATE) !== 0
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
