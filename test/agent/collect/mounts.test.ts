import { describe, expect, it } from 'vitest'
import { fixedVolumes, parseMounts } from '../../../agent/collect/mounts.ts'

const MOUNTS = `proc /proc proc rw,relatime 0 0
/dev/vda / ext4 rw,relatime,discard 0 0
/dev/vda /etc/hosts ext4 rw 0 0
/dev/sdb1 /mnt/Резервные\\040копии ext4 rw 0 0
/dev/sdc1 /mnt/back\\134slash\\011tab xfs rw 0 0
/dev/loop3 /snap/core squashfs ro 0 0
/dev/sr0 /media/cd iso9660 ro 0 0
tmpfs /run tmpfs rw 0 0
//nas/1c /mnt/nas cifs rw 0 0
tank/data /tank zfs rw 0 0
\\320\\224: /mnt/\\320\\224 nfs4 rw 0 0
broken
`

describe('parseMounts', () => {
  it('reads octal escapes as UTF-8', () => {
    const paths = parseMounts(MOUNTS).map(mount => mount.path)
    expect(paths).toContain('/mnt/Резервные копии')
    expect(paths).toContain('/mnt/back\\slash\ttab')
    expect(paths).toContain('/mnt/Д')
    expect(paths).toHaveLength(11)
  })
})

describe('fixedVolumes', () => {
  it('takes each built-in volume once', () => {
    expect(fixedVolumes(parseMounts(MOUNTS))).toEqual(['/', '/mnt/Резервные копии', '/mnt/back\\slash\ttab', '/tank'])
  })

  it('takes the root of a container', () => {
    expect(fixedVolumes(parseMounts('overlay / overlay rw 0 0\n/dev/vda /etc/hosts ext4 rw 0 0\n'))).toEqual(['/'])
  })
})
