import path from 'node:path'
import { systemCode } from '../error.ts'
import type { SpoolFiles } from './files.ts'
import { encodeRecord, scanRecords } from './record.ts'

/** What the index in memory holds of a record; `Tag` is what the caller wants to know without reading it. */
export interface IndexedRecord<Tag> {
  readonly number: number
  readonly offset: number
  readonly end: number
  readonly tag: Tag
}

interface Segment<Tag> {
  readonly file: string
  /** In order; the last segment's grows. */
  records: IndexedRecord<Tag>[]
  /** Where the next record goes. */
  end: number
}

/** Numbered records in append-only files, the oldest first. */
export interface Segments<Tag> {
  readonly sizeBytes: number
  /** The highest number that is there, 0 when nothing is. */
  readonly newest: number
  /** Records with a number above `after`, oldest first. */
  records(after: number): Iterable<IndexedRecord<Tag>>
  /** Durable when it returns; throws the system's error, and then nothing was added. */
  append(number: number, payload: Uint8Array, tag: Tag): void
  /** Payloads of those records between two numbers, both included, that are there. */
  read(first: number, last: number): Buffer[]
  /** Takes records that can no longer be read out of the index. */
  forget(numbers: ReadonlySet<number>): void
  /** Removes the files that hold nothing above `number`, the one being written excepted. */
  removeThrough(number: number): void
  /** Gives up the oldest file and returns its records. */
  dropOldest(): readonly IndexedRecord<Tag>[]
  /** On a full disk, when nothing here is needed any more: lets the next record overwrite the open file in place. */
  rewind(): void
  close(): void
}

export interface SegmentOptions<Tag> {
  readonly files: SpoolFiles
  readonly directory: string
  /** A file is not continued beyond this. */
  readonly segmentBytes: number
  readonly tag: (payload: Buffer) => Tag
}

const SUFFIX = '.seg'

export function openSegments<Tag>({ files, directory, segmentBytes, tag }: SegmentOptions<Tag>): Segments<Tag> {
  const segments = loadSegments(files, directory, tag)
  /** Files that are done with, which somebody held when they were to go: the next removal, or the next start, takes them. */
  let held: readonly string[] = []
  let open: { readonly segment: Segment<Tag>; readonly handle: number } | undefined

  function closeOpen(): void {
    if (open) files.close(open.handle)
    open = undefined
  }

  function openFor(number: number, length: number) {
    const last = segments.at(-1)
    if (last && (last.end === 0 || last.end + length <= segmentBytes)) {
      if (open?.segment === last) return open
      closeOpen()
      open = { segment: last, handle: files.open(last.file) }
      // What a crash left behind the last whole record.
      files.truncate(open.handle, last.end)
      return open
    }
    closeOpen()
    const segment: Segment<Tag> = { file: path.join(directory, segmentName(number)), records: [], end: 0 }
    open = { segment, handle: files.open(segment.file) }
    files.syncDirectory(directory)
    segments.push(segment)
    return open
  }

  function remove(segment: Segment<Tag>): void {
    if (open?.segment === segment) closeOpen()
    held = [...held, segment.file].filter(file => !tryRemove(files, file))
  }

  return {
    get sizeBytes() {
      return segments.reduce((sum, segment) => sum + segment.end, 0)
    },
    get newest() {
      return segments.reduce((newest, segment) => segment.records.at(-1)?.number ?? newest, 0)
    },
    *records(after) {
      for (const segment of segments)
        if ((segment.records.at(-1)?.number ?? 0) > after)
          yield* segment.records.filter(record => record.number > after)
    },
    append(number, payload, recordTag) {
      const bytes = encodeRecord(number, payload)
      const { segment, handle } = openFor(number, bytes.length)
      try {
        files.write(handle, bytes, segment.end)
        files.sync(handle)
      } catch (error) {
        // Nothing of a record that was refused may be found whole after a crash.
        undoWrite(files, handle, segment.end)
        throw error
      }
      const end = segment.end + bytes.length
      segment.records.push({ number, offset: segment.end, end, tag: recordTag })
      segment.end = end
    },
    read(first, last) {
      return segments.flatMap(segment => {
        const wanted = segment.records.filter(record => record.number >= first && record.number <= last)
        if (wanted.length === 0) return []
        const there = scanRecords(readOrNothing(files, segment.file), first - 1).records
        const payloads = new Map(there.map(record => [record.number, record.payload]))
        return wanted.flatMap(record => payloads.get(record.number) ?? [])
      })
    },
    forget(numbers) {
      for (const segment of segments) segment.records = segment.records.filter(record => !numbers.has(record.number))
    },
    removeThrough(number) {
      while (segments.length > 1) {
        const [oldest] = segments
        if (!oldest || (oldest.records.at(-1)?.number ?? 0) > number) return
        remove(oldest)
        segments.shift()
      }
    },
    dropOldest() {
      const oldest = segments.shift()
      if (!oldest) return []
      remove(oldest)
      return oldest.records
    },
    rewind() {
      const last = segments.at(-1)
      if (last) Object.assign(last, { records: [], end: 0 })
    },
    close: closeOpen,
  }
}

/** On Windows a virus scanner or a backup program may hold a file for a while. */
function tryRemove(files: SpoolFiles, file: string): boolean {
  try {
    files.remove(file)
    return true
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return false
  }
}

function undoWrite(files: SpoolFiles, handle: number, sizeBytes: number): void {
  try {
    // An empty file keeps its blocks: on a full disk they are all that there is to write into.
    if (sizeBytes > 0) files.truncate(handle, sizeBytes)
    else files.write(handle, new Uint8Array(4), 0)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
  }
}

const segmentName = (number: number): string => `${String(number).padStart(16, '0')}${SUFFIX}`

/** A file on a bad sector is a file whose records are lost: the others still count. */
function readOrNothing(files: SpoolFiles, file: string): Buffer {
  try {
    return files.read(file) ?? Buffer.alloc(0)
  } catch (error) {
    if (systemCode(error) === 'EIO') return Buffer.alloc(0)
    throw error
  }
}

function loadSegments<Tag>(files: SpoolFiles, directory: string, tag: (payload: Buffer) => Tag): Segment<Tag>[] {
  const names = files.list(directory).filter(name => name.endsWith(SUFFIX))
  let floor = 0
  return names.sort().map(name => {
    const file = path.join(directory, name)
    const { records, end } = scanRecords(readOrNothing(files, file), floor)
    floor = records.at(-1)?.number ?? floor
    return {
      file,
      records: records.map(({ number, offset, payload, end }) => ({ number, offset, end, tag: tag(payload) })),
      end,
    }
  })
}
