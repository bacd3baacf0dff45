/** What a JSON text says; absent when it is none. */
export function decodeJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Where a text that a person wrote stops being JSON, as LINE:COLUMN, "?" where that is not known; absent when it is JSON.
 * Never a piece of the text itself, which may hold a password.
 */
export function findJsonTrouble(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    const [, line, column] = /\(line (\d+) column (\d+)\)/.exec((error as Error).message) ?? []
    return line === undefined ? '?' : `${line}:${column}`
  }
}
