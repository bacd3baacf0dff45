export interface Mount {
  readonly device: string
  readonly path: string
  readonly type: string
}

/** `/proc/mounts`: blanks and backslashes in a name are octal escapes of its UTF-8 bytes. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap(line => {
    const [device, path, type] = line.split(' ').map(unescapeOctal)
    return device && path && type ? [{ device, path, type }] : []
  })
}

function unescapeOctal(field: string): string {
  if (!field.includes('\\')) return field
  // Byte by byte: an escape may be a part of a character.
  const latin = Buffer.from(field, 'utf8').toString('latin1')
  const bytes = latin.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

const NOT_FIXED = new Set(['iso9660', 'udf', 'squashfs', 'erofs', 'devtmpfs', 'tmpfs', 'ramfs'])
/** What a container runtime mounts over single files. */
const CONTAINER_FILE = /^\/etc\/(hosts|hostname|resolv\.conf)$/
const DEVICELESS = new Set(['zfs', 'bcachefs'])

/**
 * Mount points of the volumes built into the machine: no network shares, no images, no memory. A device that is
 * mounted several times (binds, subvolumes) counts once, at its shortest path. The root is always one.
 */
export function fixedVolumes(mounts: readonly Mount[]): string[] {
  const shortest = new Map<string, string>()
  for (const { device, path, type } of mounts) {
    const onDevice = device.startsWith('/dev/') && !device.startsWith('/dev/loop') && !NOT_FIXED.has(type)
    if (!onDevice && !DEVICELESS.has(type) && !(path === '/' && type !== 'rootfs')) continue
    if (CONTAINER_FILE.test(path)) continue
    const known = shortest.get(device)
    if (known === undefined || path.length < known.length) shortest.set(device, path)
  }
  return [...new Set(shortest.values())]
}
