import { foreign, type Handle, INVALID_HANDLE, lastError, readWide, WindowsError } from '../../windows/library.ts'

export interface VolumeSource {
  /** A bit for each letter that is in use. */
  letters(): number
  /** GetDriveTypeW of a root such as `C:\`. */
  driveType(root: string): Promise<number>
  /** For each volume built into the machine, what GetVolumePathNamesForVolumeNameW writes: its roots, and a zero more. */
  volumePaths(): Promise<readonly Buffer[]>
}

const DRIVE_FIXED = 3

/**
 * The volumes built into the machine: letters ("C:"), and of those without one the shortest folder that they are mounted
 * at ("D:\Bases"). No network drives, no optical ones, no sticks. Without the folders when they cannot be listed.
 */
export async function listFixedVolumes(source: VolumeSource = windowsVolumes): Promise<string[]> {
  const letters = lettersOf(source.letters()).map(letter => `${letter}:\\`)
  const folders = (await source.volumePaths().catch(() => [])).flatMap(folderOf)
  const fixed: string[] = []
  // One after the other: mapped drives whose server is gone would hold a thread each.
  for (const root of [...letters, ...folders])
    if ((await source.driveType(root)) === DRIVE_FIXED) fixed.push(root.replace(/\\$/, ''))
  return fixed
}

export function lettersOf(mask: number): string[] {
  return [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter((_, bit) => (mask & (1 << bit)) !== 0)
}

/** The shortest of a volume's roots, none for a volume that has a letter. */
export function folderOf(paths: Buffer): string[] {
  const roots = paths.toString('utf16le').split('\0').filter(Boolean)
  if (roots.some(root => root.length === 3)) return []
  return roots.toSorted((one, other) => one.length - other.length).slice(0, 1)
}

const getLogicalDrives = foreign<[]>('kernel32.dll', 'uint32_t GetLogicalDrives()')
const getDriveType = foreign<[root: string]>('kernel32.dll', 'uint32_t GetDriveTypeW(str16 root)')
const findFirstVolume = foreign<[name: Buffer, chars: number], Handle>(
  'kernel32.dll',
  'intptr_t FindFirstVolumeW(void *name, uint32_t chars)',
)
const findNextVolume = foreign<[find: Handle, name: Buffer, chars: number]>(
  'kernel32.dll',
  'int FindNextVolumeW(intptr_t find, void *name, uint32_t chars)',
)
const findVolumeClose = foreign<[find: Handle]>('kernel32.dll', 'int FindVolumeClose(intptr_t find)')
const getVolumePathNames = foreign<[volume: string, names: Buffer, chars: number, length: Buffer]>(
  'kernel32.dll',
  'int GetVolumePathNamesForVolumeNameW(str16 volume, void *names, uint32_t chars, void *length)',
)

export const windowsVolumes: VolumeSource = {
  letters: () => getLogicalDrives(),
  /** A mapped drive whose server is gone may keep it waiting. */
  driveType: async root => (await getDriveType.later(root)).result,
  async volumePaths() {
    const all: Buffer[] = []
    for (const volume of listVolumes()) {
      const paths = await readVolumePaths(volume)
      if (paths) all.push(paths)
    }
    return all
  },
}

const NAME_CHARS = 64
const PATHS_CHARS = 4_096
const MAX_VOLUMES = 64

/** Their names, `\\?\Volume{…}\`, from the mount manager's table; no volume is touched. */
function listVolumes(): string[] {
  const name = Buffer.alloc(NAME_CHARS * 2)
  const find = findFirstVolume(name, NAME_CHARS)
  if (find === INVALID_HANDLE) throw new WindowsError('FindFirstVolumeW', lastError())
  try {
    const volumes = [readWide(name)]
    while (volumes.length < MAX_VOLUMES && findNextVolume(find, name, NAME_CHARS)) volumes.push(readWide(name))
    return volumes
  } finally {
    findVolumeClose(find)
  }
}

async function readVolumePaths(volume: string): Promise<Buffer | undefined> {
  const names = Buffer.alloc(PATHS_CHARS * 2)
  const length = Buffer.alloc(4)
  const { result } = await getVolumePathNames.later(volume, names, PATHS_CHARS, length)
  return result === 0 ? undefined : names.subarray(0, length.readUInt32LE() * 2)
}
