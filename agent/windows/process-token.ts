import { closeHandle, foreign, type Handle, lastError, readAddress, WindowsError } from './library.ts'

const TOKEN_QUERY = 0x8
const TOKEN_USER = 1
const TOKEN_ELEVATION = 20

const currentProcess = foreign<[], Handle>('kernel32.dll', 'intptr_t GetCurrentProcess()')
const openToken = foreign<[Handle, number, Buffer]>(
  'advapi32.dll',
  'int OpenProcessToken(intptr_t process, uint32_t access, void *token)',
)
const tokenInformation = foreign<[Handle, number, Buffer, number, Buffer]>(
  'advapi32.dll',
  'int GetTokenInformation(intptr_t token, int what, void *out, uint32_t bytes, void *needed)',
)

/** As what this process runs: with an administrator's rights in force or not, and whose SID it has. */
export interface ProcessToken {
  readonly elevated: boolean
  readonly sid: string
}

export function readProcessToken(): ProcessToken {
  const out = Buffer.alloc(8)
  if (!openToken(currentProcess(), TOKEN_QUERY, out)) throw new WindowsError('OpenProcessToken', lastError())
  const token = readAddress(out)
  try {
    return { elevated: query(token, TOKEN_ELEVATION).readUInt32LE(0) !== 0, sid: sidOf(query(token, TOKEN_USER)) }
  } finally {
    closeHandle(token)
  }
}

function query(token: bigint, what: number): Buffer {
  const out = Buffer.alloc(256)
  if (!tokenInformation(token, what, out, out.length, Buffer.alloc(4)))
    throw new WindowsError('GetTokenInformation', lastError())
  return out
}

/**
 * The SID behind a TOKEN_USER, which Windows lays right after that structure of 16 bytes: revision, number of parts,
 * authority (48 bits, big-endian), then the parts (32 bits, little-endian each).
 */
export function sidOf(tokenUser: Buffer, at = 16): string {
  const parts = Array.from({ length: tokenUser.readUInt8(at + 1) }, (_, index) =>
    tokenUser.readUInt32LE(at + 8 + index * 4),
  )
  return ['S', tokenUser.readUInt8(at), tokenUser.readUIntBE(at + 2, 6), ...parts].join('-')
}
