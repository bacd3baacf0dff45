/** What a JSON text says; absent when it is none. */
export function decodeJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Where a text that a person wrote stops being JSON, as LINE:COLUMN; absent when it is JSON. Never a piece of the text
 * itself, which may hold a password. Node names a place for some mistakes only, so that the shortest beginning is looked
 * for which no more text would mend.
 */
export function findJsonTrouble(text: string): string | undefined {
  if (decodeJson(text) !== undefined) return undefined
  let mendable = 0
  let broken = text.length + 1
  while (broken - mendable > 1) {
    const middle = Math.floor((mendable + broken) / 2)
    if (isBroken(text.slice(0, middle))) broken = middle
    else mendable = middle
  }
  const lines = text.slice(0, mendable).split('\n')
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`
}

/** Whether something in it is wrong, and not only the rest missing. */
function isBroken(beginning: string): boolean {
  try {
    JSON.parse(beginning)
    return false
  } catch (error) {
    const { message } = error as Error
    const [, position] = / at position (\d+)/.exec(message) ?? []
    return position === undefined ? message.startsWith('Unexpected token') : Number(position) < beginning.length
  }
}
