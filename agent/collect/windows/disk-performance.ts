import { closeHandle, foreign, type Handle, INVALID_HANDLE, WindowsError } from '../../windows/library.ts'
import type { DiskCounter } from '../disk-io.ts'
import type { PartCounters } from '../running-totals.ts'

/** Numbers of disks may have gaps. */
const MAX_DISKS = 64
const UNITS_PER_MS = 10_000

/** DISK_PERFORMANCE of winioctl.h: times in units of 100 ns, counts of 32 bits. */
export function parseDiskPerformance(buffer: Buffer): PartCounters<DiskCounter> {
  const numberAt = (at: number) => Number(buffer.readBigInt64LE(at))
  return {
    readBytes: numberAt(0),
    writtenBytes: numberAt(8),
    readMs: numberAt(16) / UNITS_PER_MS,
    writeMs: numberAt(24) / UNITS_PER_MS,
    reads: buffer.readUInt32LE(40),
    writes: buffer.readUInt32LE(44),
  }
}

/** Server editions answer "not supported" unless counting was switched on. Fails when no disk answers. */
export async function readDiskPerformance(): Promise<ReadonlyMap<string, PartCounters<DiskCounter>>> {
  const disks = new Map<string, PartCounters<DiskCounter>>()
  let failure: unknown
  for (let disk = 0; disk < MAX_DISKS; disk++) {
    try {
      const buffer = await readDisk(disk)
      if (buffer) disks.set(String(disk), parseDiskPerformance(buffer))
    } catch (error) {
      failure = error
    }
  }
  if (disks.size === 0 && failure) throw failure
  return disks
}

const createFile = foreign<
  [name: string, access: number, share: number, security: null, creation: number, flags: number, template: number],
  Handle
>(
  'kernel32.dll',
  'intptr_t CreateFileW(str16 name, uint32_t access, uint32_t share, void *security, uint32_t creation, uint32_t flags, intptr_t template)',
)
const deviceIoControl = foreign<
  [
    device: Handle,
    code: number,
    input: null,
    inputBytes: number,
    output: Buffer,
    outputBytes: number,
    returned: Buffer,
    overlapped: null,
  ]
>(
  'kernel32.dll',
  'int DeviceIoControl(intptr_t device, uint32_t code, void *input, uint32_t inputBytes, void *output, uint32_t outputBytes, void *returned, void *overlapped)',
)

/** Asking a disk for its counters needs no access to its contents. */
const NO_ACCESS = 0
const SHARE_READ_WRITE = 3
const OPEN_EXISTING = 3
const IOCTL_DISK_PERFORMANCE = 0x70020
const BYTES = 88
const NOT_THERE = new Set([2, 3])

async function readDisk(disk: number): Promise<Buffer | undefined> {
  const name = `\\\\.\\PhysicalDrive${disk}`
  const opened = await createFile.later(name, NO_ACCESS, SHARE_READ_WRITE, null, OPEN_EXISTING, 0, 0)
  if (opened.result === INVALID_HANDLE) {
    if (NOT_THERE.has(opened.error)) return undefined
    throw new WindowsError(name, opened.error)
  }
  try {
    const output = Buffer.alloc(BYTES)
    const returned = Buffer.alloc(4)
    const ioctl = [opened.result, IOCTL_DISK_PERFORMANCE, null, 0, output, BYTES, returned, null] as const
    const { result, error } = await deviceIoControl.later(...ioctl)
    if (result === 0) throw new WindowsError('IOCTL_DISK_PERFORMANCE', error)
    return output
  } finally {
    closeHandle(opened.result)
  }
}
