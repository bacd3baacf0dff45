import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDisk } from './disk.ts'

test('a full disk writes into what it has, fills the last page, and no more', () => {
  const directory = mkdtempSync(join(tmpdir(), 'onec-disk-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'записи.seg')
  const disk = openDisk()
  const handle = disk.files.open(file)
  disk.files.write(handle, new Uint8Array(4_000).fill(1), 0)
  disk.isFull = true
  disk.files.write(handle, new Uint8Array(4_000).fill(2), 0)
  expect(() => disk.files.write(handle, new Uint8Array(200).fill(3), 4_000)).toThrow('no space left')
  expect(readFileSync(file)).toHaveLength(4_096)
  disk.isFull = false
  disk.files.write(handle, new Uint8Array(200).fill(4), 4_000)
  expect(readFileSync(file)).toHaveLength(4_200)
  disk.files.close(handle)
})
