import { koffi } from './koffi.ts'

/** Text goes as UTF-16 where the prototype says `str16`, memory by its address, a handle or an address as a number. */
export type Argument = number | bigint | string | Uint8Array | null

/** A handle or an address; koffi gives a bigint where a number cannot hold it. */
export type Handle = number | bigint

export interface Foreign<A extends readonly Argument[], R> {
  /** Calls on this thread: only what cannot block. */
  (...args: A): R
  /** Calls on a thread of Node's pool, for what may block. `error` is what GetLastError says of this call. */
  later(...args: A): Promise<{ readonly result: R; readonly error: number }>
}

/** Buffers that another thread writes to: koffi does not hold them, so they are kept from being collected here. */
const lent = new Set<readonly Argument[]>()

/** Calls by `later` that have not ended. */
export const callsInFlight = (): number => lent.size

/**
 * A function of a Windows library by its C prototype, e.g. `int CloseHandle(intptr_t)`. Nothing is loaded before the
 * first call, so that declaring is free and works on every system; the call throws where library or function is not
 * there. Use `intptr_t` for handles and addresses: they come back as numbers, not as opaque pointers.
 */
export function foreign<A extends readonly Argument[], R = number>(library: string, prototype: string): Foreign<A, R> {
  let bound: ReturnType<ReturnType<ReturnType<typeof koffi>['load']>['func']> | undefined
  const bind = () => {
    bound ??= loadLibrary(library).func(prototype)
    return bound
  }
  return Object.assign((...args: A): R => bind()(...args), {
    later: (...args: A) =>
      new Promise<{ result: R; error: number }>((resolve, reject) => {
        const call = bind()
        lent.add(args)
        call.async(...args, (failure: unknown, result: R) => {
          lent.delete(args)
          // koffi keeps the error of the call for the time of its callback alone.
          if (failure) reject(failure)
          else resolve({ result, error: lastError() })
        })
      }),
  })
}

const libraries = new Map<string, ReturnType<ReturnType<typeof koffi>['load']>>()

/** By name alone Windows looks beside the executable first: System32 is named, so that no one can slip in another. */
function loadLibrary(name: string) {
  const known = libraries.get(name)
  if (known) return known
  const loaded = koffi().load(`${systemDirectory()}\\${name}`)
  libraries.set(name, loaded)
  return loaded
}

let system32: string | undefined

/** kernel32.dll is in every process already, so that its own name finds it. */
function systemDirectory(): string {
  if (system32 !== undefined) return system32
  const getSystemDirectory = koffi()
    .load('kernel32.dll')
    .func('uint32_t GetSystemDirectoryW(void *text, uint32_t chars)')
  const text = Buffer.alloc(520)
  const chars = getSystemDirectory(text, 260)
  system32 = text.toString('utf16le', 0, chars * 2)
  return system32
}

/** What GetLastError says of the call just made on this thread; koffi keeps Node from overwriting it. */
export const lastError: () => number = foreign<[]>('kernel32.dll', 'uint32_t GetLastError()')

const moveMemory = foreign<[to: Buffer, from: Handle, bytes: number], void>(
  'kernel32.dll',
  'void RtlMoveMemory(void *to, intptr_t from, size_t bytes)',
)

/** A copy of memory that Windows allocated; frees nothing. */
export function copyMemory(address: Handle, bytes: number): Buffer {
  const copy = Buffer.alloc(bytes)
  if (bytes > 0) moveMemory(copy, address, bytes)
  return copy
}

/** Gives back memory that a call of Windows allocated for its caller. */
export const localFree = foreign<[memory: Handle], Handle>('kernel32.dll', 'intptr_t LocalFree(intptr_t memory)')

/** The address that a call wrote into an out-parameter of eight bytes. */
export const readAddress = (out: Buffer, at = 0): bigint => out.readBigUInt64LE(at)

export const INVALID_HANDLE = -1

const closeOpen = foreign<[handle: Handle]>('kernel32.dll', 'int CloseHandle(intptr_t handle)')

export function closeHandle(handle: Handle): void {
  closeOpen(handle)
}

/** Text up to its terminating zero, or all of it. */
export function readWide(bytes: Buffer, from = 0, to = bytes.length): string {
  const text = bytes.toString('utf16le', from, to)
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

/** Text as Windows wants it in memory that it may keep: UTF-16 with a terminating zero. */
export const wide = (text: string): Buffer => Buffer.from(`${text}\0`, 'utf16le')

export interface Filling {
  /** Named in errors. */
  readonly call: string
  /** The code that asks for a larger buffer. */
  readonly tooSmall: number
  /** Added to what was asked for, where the answer grows by itself. */
  readonly spareBytes?: number
  /** The code that says that there is no such thing. */
  readonly absent?: number
}

const FILL_ATTEMPTS = 5

/**
 * What a call writes that takes a buffer and its size in bytes, in and out, and answers with a code, 0 for done. The
 * result is cut to the size that it says. Absent when the code says so; fails with a WindowsError for any other.
 */
export async function fillBuffer(
  fill: (buffer: Buffer, bytes: Buffer) => number | Promise<number>,
  { call, tooSmall, spareBytes = 0, absent }: Filling,
): Promise<Buffer | undefined> {
  const bytes = Buffer.alloc(4)
  let code = tooSmall
  for (let attempt = 0; attempt < FILL_ATTEMPTS && code === tooSmall; attempt++) {
    const wanted = bytes.readUInt32LE()
    const buffer = Buffer.alloc(wanted === 0 ? 0 : wanted + spareBytes)
    bytes.writeUInt32LE(buffer.length)
    code = await fill(buffer, bytes)
    if (code === 0) return buffer.subarray(0, bytes.readUInt32LE())
    if (code === absent) return undefined
  }
  throw new WindowsError(call, code)
}

/** What people meet most; the number says the rest. Windows' own texts come in the language of the system. */
const WORDS: Readonly<Record<number, string>> = {
  1: 'not supported',
  2: 'not found',
  3: 'path not found',
  5: 'access denied',
  6: 'invalid handle',
  21: 'device not ready',
  32: 'in use by another program',
  50: 'not supported',
  53: 'network path not found',
  87: 'invalid parameter',
  120: 'not implemented',
  122: 'buffer too small',
  225: 'held by a virus scanner',
  234: 'more data',
  1053: 'the service did not answer in time',
  1058: 'the service is disabled',
  1060: 'no such service',
  1260: 'blocked by a policy',
  1326: 'wrong user name or password',
  1722: 'the RPC server is not available',
  2147485653: 'no data',
  3221228472: 'no such performance object',
  3221228473: 'no such performance counter',
}

/** A failed call as a sentence: `WTSEnumerateSessionsW: the RPC server is not available (error 1722)`. */
export class WindowsError extends Error {
  override name = 'WindowsError'
  readonly errorCode: number
  constructor(call: string, errorCode: number) {
    const words = WORDS[errorCode] ?? 'failed'
    // Codes of other families (PDH, NTSTATUS) are known in hexadecimal.
    const code = errorCode > 0xffff ? `0x${errorCode.toString(16).padStart(8, '0')}` : String(errorCode)
    super(`${call}: ${words} (error ${code})`)
    this.errorCode = errorCode
  }
}
