import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { crc32, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { detectFormat } from '../../../agent/backup/format.ts'
import { checkIntegrity } from '../../../agent/backup/integrity.ts'
import { dtFile, withHole } from './support/content.ts'

const check = (content: Buffer) => {
  const read = async (position: number, bytes: number) => content.subarray(position, position + bytes)
  return checkIntegrity({ sizeBytes: content.length, read }, async () => undefined)
}
const codeOf = async (content: Buffer) => (await check(content)).code

let directory: string
let zip: Buffer
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-zip-'))
  for (const name of ['База 1.txt', 'База 2.txt']) writeFileSync(path.join(directory, name), dtFile(50_000))
  execFileSync('zip', ['-q', 'копия.zip', 'База 1.txt', 'База 2.txt'], { cwd: directory })
  zip = readFileSync(path.join(directory, 'копия.zip'))
})
afterAll(() => rmSync(directory, { recursive: true }))

/** 7zFormat.txt: signature, version, CRC of the next 20 bytes, then offset, size and CRC of the end header. */
function sevenZip(packed: Buffer, header: Buffer): Buffer {
  const start = Buffer.alloc(20)
  start.writeBigUInt64LE(BigInt(packed.length), 0)
  start.writeBigUInt64LE(BigInt(header.length), 8)
  start.writeUInt32LE(crc32(header), 16)
  const signature = Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4, 0, 0, 0, 0])
  signature.writeUInt32LE(crc32(start), 8)
  return Buffer.concat([signature, start, packed, header])
}

describe('checkIntegrity', () => {
  const dt = dtFile(3_000_000)
  const gz = gzipSync(dtFile(200_000))
  const archive = sevenZip(Buffer.alloc(10_000, 7), Buffer.from('the end header'))

  it('finds whole what is whole, with its digest', async () => {
    for (const content of [dt, gz, zip, archive, Buffer.from('PGDMP'), Buffer.from('TAPE'), Buffer.from('что угодно')])
      expect(await check(content)).toMatchObject({ code: 'whole', digest: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(await codeOf(Buffer.concat([dt, Buffer.from('behind its end')]))).toBe('whole')
    // A tape or a NAS fills up the last piece of what it copies.
    expect(await codeOf(Buffer.concat([dt, Buffer.alloc(32_768)]))).toBe('whole')
  })

  it('takes no .dt apart whose version it does not know', async () => {
    expect(await codeOf(withHole(Buffer.from(dt).fill('7', 8, 9)))).toBe('whole')
  })

  it.each<[string, () => Buffer, string]>([
    ['a cut .dt', () => dt.subarray(0, dt.length - 1), 'truncated'],
    ['a .dt of its header', () => dt.subarray(0, 9), 'truncated'],
    ['a hole in a .dt', () => withHole(dt), 'damaged'],
    ['a cut gzip', () => gz.subarray(0, gz.length - 4), 'truncated'],
    ['a gzip with a wrong sum', () => Buffer.concat([gz.subarray(0, -8), Buffer.alloc(8, 1)]), 'damaged'],
    ['a cut zip', () => zip.subarray(0, zip.length - 30), 'truncated'],
    ['a zip without its middle', () => Buffer.concat([zip.subarray(0, 1_000), zip.subarray(-22)]), 'truncated'],
    ['a cut 7z', () => archive.subarray(0, -1), 'truncated'],
    ['a 7z with a damaged end', () => Buffer.concat([archive.subarray(0, -3), Buffer.alloc(3)]), 'damaged'],
    ['a 7z with a damaged start', () => Buffer.from(archive).fill(1, 12, 13), 'damaged'],
  ])('finds %s', async (_, content, code) => {
    expect(await codeOf(content())).toBe(code)
  })

  it('finds every hole in a .dt, also one that is unpacked to something', async () => {
    const codes = await Promise.all(Array.from({ length: 40 }, () => codeOf(withHole(dtFile(), 12_288))))
    expect(new Set(codes)).toEqual(new Set(['damaged']))
  })

  it('finds a .dt whose data only seems to end', async () => {
    const ending = Buffer.concat([dtFile(1_000), Buffer.alloc(70_000, 'что-то')])
    expect(await check(ending)).toMatchObject({
      code: 'damaged',
      words: expect.stringContaining(`of ${ending.length}`),
    })
  })

  it('finds a damaged entry in the directory of a zip', async () => {
    const copy = Buffer.from(zip)
    copy.fill(
      0,
      copy.indexOf(Buffer.from('PK\x01\x02', 'latin1')),
      copy.indexOf(Buffer.from('PK\x01\x02', 'latin1')) + 4,
    )
    expect(await codeOf(copy)).toBe('damaged')
  })

  it('reads at the pace that it is given, in pieces', async () => {
    const pieces: number[] = []
    const content = dtFile(3_000_000)
    const read = async (position: number, bytes: number) => content.subarray(position, position + bytes)
    await checkIntegrity({ sizeBytes: content.length, read }, async bytes => void pieces.push(bytes))
    expect(Math.max(...pieces)).toBe(1 << 20)
    expect(pieces.reduce((sum, bytes) => sum + bytes)).toBe(content.length)
    const stop = checkIntegrity({ sizeBytes: content.length, read }, () => Promise.reject(new Error('the agent stops')))
    await expect(stop).rejects.toThrow('the agent stops')
  })
})

it('knows backups by their first bytes', () => {
  const kinds = {
    '1CIBDmpF3': 'dt',
    '1CDBMSV8': '1cd',
    'PK\x03\x04': 'zip',
    '\x1f\x8b': 'gz',
    PGDMP: 'pg_dump',
    TAPE: 'mssql',
  }
  for (const [head, format] of Object.entries(kinds)) expect(detectFormat(Buffer.from(head, 'latin1'))).toBe(format)
  expect(detectFormat(Buffer.from('MZ'))).toBeUndefined()
})
