import { closeHandle, foreign } from './library.ts'

const openProcess = foreign<[access: number, inherit: number, pid: number]>(
  'kernel32.dll',
  'intptr_t OpenProcess(uint32_t access, int inherit, uint32_t pid)',
)
const getProcessTimes = foreign<[process: number, created: Buffer, ended: Buffer, kernel: Buffer, user: Buffer]>(
  'kernel32.dll',
  'int GetProcessTimes(intptr_t process, void *created, void *ended, void *kernel, void *user)',
)
const QUERY_LIMITED_INFORMATION = 0x1000

/** When a process was made, in units of 100 ns since 1601; absent when there is none, or it may not be asked. */
export function processCreatedAt(pid: number): string | undefined {
  const process = openProcess(QUERY_LIMITED_INFORMATION, 0, pid)
  if (process === 0) return undefined
  try {
    const [created, ended, kernel, user] = [8, 8, 8, 8].map(bytes => Buffer.alloc(bytes)) as Times
    return getProcessTimes(process, created, ended, kernel, user) ? created.readBigUInt64LE().toString() : undefined
  } finally {
    closeHandle(process)
  }
}

type Times = [Buffer, Buffer, Buffer, Buffer]
