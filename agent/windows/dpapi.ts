import { UserError } from '../error.ts'
import { copyMemory, foreign, lastError, localFree, readAddress, WindowsError } from './library.ts'
import { structureWith } from './structure.ts'

/** No dialog ever; any account of this machine may open it, as the service and an administrator are two. */
const CRYPTPROTECT_UI_FORBIDDEN = 0x1
const CRYPTPROTECT_LOCAL_MACHINE = 0x4

/** Not a secret: keeps a blob of another program from being taken for one of ours. */
const ENTROPY = Buffer.from('onec-agent secret 1')

const protect = foreign<[Buffer, string, Buffer, null, null, number, Buffer]>(
  'crypt32.dll',
  'int CryptProtectData(void *in, str16 description, void *entropy, void *reserved, void *prompt, uint32_t flags, void *out)',
)
const unprotect = foreign<[Buffer, null, Buffer, null, null, number, Buffer]>(
  'crypt32.dll',
  'int CryptUnprotectData(void *in, void *description, void *entropy, void *reserved, void *prompt, uint32_t flags, void *out)',
)

/** Encrypts with a key of this machine. Throws a WindowsError. */
export function seal(plain: Buffer): Buffer {
  const flags = CRYPTPROTECT_LOCAL_MACHINE | CRYPTPROTECT_UI_FORBIDDEN
  return withBlobs(plain, (input, entropy, out) => {
    if (!protect(input, 'onec-agent', entropy, null, null, flags, out))
      throw new WindowsError('CryptProtectData', lastError())
  })
}

/** The reverse, on the same machine. Fails with a UserError where this machine's key does not open it. */
export function unseal(sealed: Buffer): Buffer {
  return withBlobs(sealed, (input, entropy, out) => {
    if (!unprotect(input, null, entropy, null, null, CRYPTPROTECT_UI_FORBIDDEN, out))
      throw new UserError(`Windows cannot open it (error ${lastError()}): it was sealed on another machine`)
  })
}

function withBlobs(content: Buffer, call: (input: Buffer, entropy: Buffer, out: Buffer) => void): Buffer {
  const out = Buffer.alloc(16)
  call(blob(content), blob(ENTROPY), out)
  const address = readAddress(out, 8)
  try {
    return copyMemory(address, out.readUInt32LE(0))
  } finally {
    localFree(address)
  }
}

/** DATA_BLOB: how many bytes, and where. */
function blob(content: Buffer): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32LE(content.length, 0)
  return structureWith(bytes, 8, content)
}
