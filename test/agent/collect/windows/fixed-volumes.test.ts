import { describe, expect, it } from 'vitest'
import { listFixedVolumes, type VolumeSource } from '../../../../agent/collect/windows/fixed-volumes.ts'

const [REMOVABLE, FIXED, REMOTE, OPTICAL] = [2, 3, 4, 5]
const paths = (...roots: string[]) => Buffer.from(`${roots.map(root => `${root}\0`).join('')}\0`, 'utf16le')
const source = (types: Record<string, number>, volumePaths: VolumeSource['volumePaths']): VolumeSource => ({
  letters: () => 0b1_0000_0000_0000_0000_0111_1101,
  driveType: async root => types[root] ?? 1,
  volumePaths,
})
const TYPES = { 'A:\\': REMOVABLE, 'C:\\': FIXED, 'D:\\': FIXED, 'E:\\': OPTICAL, 'F:\\': REMOTE, 'D:\\Базы\\': FIXED }

describe('listFixedVolumes', () => {
  it('has letters, and folders of volumes without one', async () => {
    const volumes = [paths('C:\\'), paths('D:\\', 'C:\\mnt\\d\\'), paths('D:\\Резерв\\Базы\\', 'D:\\Базы\\'), paths()]
    expect(await listFixedVolumes(source(TYPES, async () => volumes))).toEqual(['C:', 'D:', 'D:\\Базы'])
  })

  it('has the letters alone when volumes cannot be listed', async () => {
    expect(await listFixedVolumes(source(TYPES, () => Promise.reject(new Error('no'))))).toEqual(['C:', 'D:'])
  })
})
