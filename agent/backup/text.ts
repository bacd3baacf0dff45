/** Text as the programs of Windows write it: UTF-8 or UTF-16 with or without a mark, else the OEM code page of Russia. */
export function decodeText(content: Buffer): string {
  if (content[0] === 0xff && content[1] === 0xfe) return new TextDecoder('utf-16le').decode(content)
  if (content[0] === 0xfe && content[1] === 0xff) return new TextDecoder('utf-16be').decode(content)
  // ASCII as UTF-16 without its mark.
  if (content.length > 1 && content[1] === 0 && content[0] !== 0) return new TextDecoder('utf-16le').decode(content)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    return new TextDecoder('ibm866').decode(content)
  }
}
