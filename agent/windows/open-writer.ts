import { closeHandle, foreign, type Handle, INVALID_HANDLE } from './library.ts'

const GENERIC_READ = 0x80000000
const FILE_SHARE_READ = 1
const FILE_SHARE_DELETE = 4
const OPEN_EXISTING = 3
const ERROR_SHARING_VIOLATION = 32

const createFile = foreign<[string, number, number, null, number, number, null], Handle>(
  'kernel32.dll',
  'intptr_t CreateFileW(str16 name, uint32_t access, uint32_t share, void *security, uint32_t how, uint32_t flags, void *like)',
)

/**
 * Opens the file for reading without letting others write: while a writer has it, the system answers error 32. Absent
 * for any other error, which says nothing of writers. Runs on an I/O thread, as the file may be far away.
 */
export async function probeOpenWriter(file: string): Promise<'open' | 'none' | undefined> {
  const share = FILE_SHARE_READ | FILE_SHARE_DELETE
  const { result, error } = await createFile.later(file, GENERIC_READ, share, null, OPEN_EXISTING, 0, null)
  if (Number(result) !== INVALID_HANDLE) {
    closeHandle(result)
    return 'none'
  }
  return error === ERROR_SHARING_VIOLATION ? 'open' : undefined
}
