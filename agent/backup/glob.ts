/** Names of files that are not finished by their own account. */
const UNFINISHED = /\.(tmp|temp|part|partial|filepart|crdownload|download)$|^~|~$/i

/**
 * Tells which names a pattern takes: `*` and `?` for any characters, `[a-z]`, `{dt,zip}`. Windows and what it serves make
 * no difference between capitals. Compiled once, because a directory may have a hundred thousand names.
 */
export function compileGlob(pattern: string, ignoreCase: boolean): (name: string) => boolean {
  const expression = compile(pattern, ignoreCase ? 'isu' : 'su')
  return name => !UNFINISHED.test(name) && expression.test(name)
}

/** A set that is none (`[z-a]`) stands for itself. */
function compile(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(`^${translate(pattern)}$`, flags)
  } catch {
    return new RegExp(`^${literal(pattern)}$`, flags)
  }
}

const TOKEN = /\[([!^]?)([^\]]+)\]|\{([^{}]*)\}|[\s\S]/gu

function translate(pattern: string): string {
  return pattern.replace(TOKEN, (token, negated: string, set: string | undefined, choice: string | undefined) => {
    if (set !== undefined) return `[${negated && '^'}${set.replace(/[\\\][^]/g, '\\$&')}]`
    if (choice !== undefined) return `(?:${choice.split(',').map(translate).join('|')})`
    if (token === '*') return '.*'
    return token === '?' ? '.' : literal(token)
  })
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
