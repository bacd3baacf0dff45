import { createHash } from 'node:crypto'
import { createGunzip, createInflateRaw, type Gunzip, type InflateRaw } from 'node:zlib'
import { systemCode } from '../error.ts'
import { sevenZipProblem, zipProblem } from './archive.ts'
import { type BackupFormat, detectFormat, HEAD_BYTES } from './format.ts'
import { createHoleFinder } from './hole.ts'

/** What reading a file whole found. `digest` is the SHA-256 of all of it. */
export type IntegrityResult =
  | { readonly code: 'whole'; readonly digest: string }
  | { readonly code: 'truncated' | 'damaged'; readonly words: string }

/** The file, read piece by piece: shorter than asked for at its end. */
export interface FileReader {
  readonly sizeBytes: number
  read(position: number, bytes: number): Promise<Buffer>
}

const CHUNK_BYTES = 1 << 20
/** `1CIBDmpF` and a version; raw deflate follows. */
const DT_HEADER_BYTES = 9
/** Those that published readers of `.dt` files take apart so. Another one may be something else altogether. */
const DT_VERSIONS = '123l'
/** Behind the end of what is compressed; more means that damaged data only looked like an end. */
const MAX_REST_BYTES = 64 * 1024

/**
 * Reads a file once from its beginning to its end and takes apart what can be taken apart without its key: a `.dt` and
 * a gzip are inflated, of zip and 7z the directories are followed. `pace` is told of every piece and may take its time;
 * it rejects to end the check. None of this proves that a backup restores.
 */
export async function checkIntegrity(
  file: FileReader,
  pace: (bytes: number) => Promise<void>,
): Promise<IntegrityResult> {
  const head = await file.read(0, HEAD_BYTES)
  const format = detectFormat(head)
  const problem = await structureProblem(file, format)
  if (problem) return problem
  const hash = createHash('sha256')
  const decoder = decoderOf(format, head)
  let position = 0
  while (position < file.sizeBytes) {
    const chunk = await file.read(position, CHUNK_BYTES)
    if (chunk.length === 0) return truncated(`the file ends at ${position} of ${file.sizeBytes} bytes`)
    hash.update(chunk)
    const bad = await decoder?.write(chunk)
    if (bad) return bad
    position += chunk.length
    await pace(chunk.length)
  }
  return (await decoder?.end()) ?? { code: 'whole', digest: hash.digest('hex') }
}

async function structureProblem(file: FileReader, format: BackupFormat | undefined) {
  if (format === 'zip') return await zipProblem(file)
  return format === '7z' ? await sevenZipProblem(file) : undefined
}

interface Decoder {
  write(chunk: Buffer): Promise<IntegrityResult | undefined>
  end(): Promise<IntegrityResult | undefined>
}

interface Inflating extends Decoder {
  /** The compressed data came to its end. */
  readonly isOver: boolean
}

function decoderOf(format: BackupFormat | undefined, head: Buffer): Decoder | undefined {
  if (format === 'dt') {
    const version = head.toString('latin1', DT_HEADER_BYTES - 1, DT_HEADER_BYTES)
    return DT_VERSIONS.includes(version) ? dtDecoder() : undefined
  }
  return format === 'gz' ? decoder(createGunzip()) : undefined
}

/**
 * Raw deflate has no sum: what follows a hole may well be unpacked to something, and one in seven looked whole (360 random
 * ones). So the hole is looked for, and an end that comes too early.
 */
function dtDecoder(): Decoder {
  const stream = createInflateRaw()
  const inflated = decoder(stream)
  const findHole = createHoleFinder()
  let sizeBytes = 0
  const endedAt = () => DT_HEADER_BYTES + stream.bytesWritten
  return {
    async write(chunk) {
      const hole = inflated.isOver ? undefined : findHole(chunk)
      const skip = sizeBytes === 0 ? DT_HEADER_BYTES : 0
      sizeBytes += chunk.length
      const bad = await inflated.write(chunk.subarray(skip))
      // Zeros behind the end are what a copy was filled up with.
      if (hole === undefined || (inflated.isOver && hole >= endedAt())) return bad
      return damaged(`there are only zeros at ${hole} bytes`)
    },
    async end() {
      const bad = await inflated.end()
      if (bad || sizeBytes - endedAt() <= MAX_REST_BYTES) return bad
      return damaged(`the compressed data ends at ${endedAt()} of ${sizeBytes} bytes`)
    },
  }
}

/** What comes out is thrown away: only whether it comes out is asked. */
function decoder(stream: InflateRaw | Gunzip): Inflating {
  let failure: Error | undefined
  let ended = false
  stream.on('error', error => {
    failure ??= error
  })
  // At its end, where a write of what follows may never be answered, or closed by its error.
  const settled = new Promise<void>(resolve => {
    stream.once('close', resolve)
    stream.once('end', () => {
      ended = true
      resolve()
    })
  })
  // `Promise.race` with `settled` would leave a reaction on it for every megabyte of the file.
  let answered: () => void = () => undefined
  settled.then(() => answered())
  stream.resume()
  const found = () => failure && problemOf(failure)
  return {
    get isOver() {
      return ended
    },
    // What follows the end of the stream is not its business.
    async write(chunk) {
      if (!ended && !stream.closed)
        await new Promise<void>(resolve => {
          answered = resolve
          stream.write(chunk, () => resolve())
        })
      return found()
    },
    async end() {
      if (!ended) stream.end()
      await settled
      return found()
    },
  }
}

function problemOf(failure: Error): IntegrityResult {
  if (systemCode(failure) === 'Z_BUF_ERROR') return truncated('the compressed data stops before its end')
  return damaged(`the compressed data cannot be unpacked (${failure.message})`)
}

const truncated = (words: string): IntegrityResult => ({ code: 'truncated', words })
const damaged = (words: string): IntegrityResult => ({ code: 'damaged', words })
