/** `text` as one word of a POSIX shell's command line. */
export function shellWord(text: string): string {
  return /^[\p{L}\p{N}_./:=@%+,-]+$/u.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
