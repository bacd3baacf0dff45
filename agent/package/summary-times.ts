/** FMTID_SummaryInformation, in the bytes of the file. */
const FORMAT = Buffer.from('e0859ff2f94f6810ab9108002b27b3d9', 'hex')
/** Of the property set's stream: the format's place in its header, and the first section behind it. */
const FORMAT_AT = 28
const SECTION_AT = 48
/** Properties "created" and "last saved", of type VT_FILETIME. */
const TIMES = [12, 13]
const VT_FILETIME = 64
/** Between 1601 and 1970. */
const EPOCH_OFFSET_MS = 11_644_473_600_000n

/**
 * Sets, in place, when an installer says that it was made: wixl takes the clock, and the same sources must give the same
 * bytes. Fails when the times are not where [MS-OLEPS] has them.
 */
export function setSummaryTimes(installer: Buffer, atMs: number): void {
  const stream = installer.indexOf(FORMAT) - FORMAT_AT
  if (stream < 0) throw new Error('This installer has no summary information')
  const section = stream + SECTION_AT
  const count = installer.readUInt32LE(section + 4)
  const found = Array.from({ length: count }, (_, index) => section + 8 + index * 8)
    .filter(entry => TIMES.includes(installer.readUInt32LE(entry)))
    .map(entry => section + installer.readUInt32LE(entry + 4))
  // A summary of over 64 bytes may lie in pieces: then these are not times.
  if (found.length !== TIMES.length || found.some(at => installer.readUInt32LE(at) !== VT_FILETIME))
    throw new Error('The times of this installer are not where they are expected')
  const fileTime = (BigInt(atMs) + EPOCH_OFFSET_MS) * 10_000n
  for (const at of found) installer.writeBigUInt64LE(fileTime, at + 4)
}
