/** Names of files that are not finished by their own account. */
const UNFINISHED = /\.(tmp|temp|part|partial|filepart|crdownload|download)$|^~|~$/i

/**
 * Tells which names a pattern takes: `*` and `?` for any characters, `[a-z]`, `{dt,zip}`. Windows and what it serves make
 * no difference between capitals. Compiled once, because a directory may have a hundred thousand names.
 */
export function compileGlob(pattern: string, ignoreCase: boolean): (name: string) => boolean {
  const expression = new RegExp(`^${translate(pattern)}$`, ignoreCase ? 'isu' : 'su')
  return name => !UNFINISHED.test(name) && expression.test(name)
}

function translate(pattern: string): string {
  let depth = 0
  return pattern.replace(
    /\[(!|\^)?([^\]/]+)\]|[\s\S]/gu,
    (token, negated: string | undefined, set: string | undefined) => {
      if (set !== undefined) return `[${negated ? '^' : ''}${set.replace(/[\\\][^&]/g, '\\$&')}]`
      if (token === '*') return '.*'
      if (token === '?') return '.'
      if (token === '{' && ++depth) return '(?:'
      if (token === '}' && depth > 0 && depth--) return ')'
      if (token === ',' && depth > 0) return '|'
      return token.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    },
  )
}
