/**
 * Lines of at most `width` columns, each behind `indent`; words that are longer stay whole, and so do commands
 * between backticks and line breaks.
 */
export function wrap(text: string, indent: string, width: number): string[] {
  return printable(text)
    .split('\n')
    .flatMap(line => wrapLine(line, indent, width))
}

function wrapLine(line: string, indent: string, width: number): string[] {
  const inner = indent + (/^ */.exec(line)?.[0] ?? '')
  const lines: string[] = []
  let current = ''
  // A command between backticks is copied in one piece.
  for (const word of line.trim().match(/(?:`[^`]*`|\S)+/g) ?? ['']) {
    if (current && inner.length + current.length + 1 + word.length > width) {
      lines.push(inner + current)
      current = word
    } else current = current ? `${current} ${word}` : word
  }
  return [...lines, inner + current]
}

/** Names and reasons come from elsewhere: nothing in them may steer the terminal. */
export const printable = (text: string): string => text.replace(/[^\P{C}\n]/gu, '\u{fffd}')
