import path from 'node:path'

/** One part of a pattern: the rule of a name, or folders of any depth. */
export type Step = ((name: string) => boolean) | 'any-depth'

/** A path with wildcards, taken apart. */
export interface PathPattern {
  /** The part without wildcards: a folder to begin in, or the file itself when there are no steps. */
  readonly root: string
  readonly steps: readonly Step[]
}

const MAX_STEPS = 32

/**
 * `*` and `?` stand for part of one name, `**` for folders of any depth; nothing else is special, since `[` and `{` are
 * plain characters in names on Windows. There `/` and `\` both separate, and case does not count. Absent when the path
 * is not absolute: a service has no folder of its own that a person would know.
 */
export function parsePattern(text: string, windows: boolean): PathPattern | undefined {
  const flavour = windows ? path.win32 : path.posix
  if (!flavour.isAbsolute(text)) return undefined
  const { root } = flavour.parse(text)
  const names = text
    .slice(root.length)
    .split(windows ? /[\\/]+/ : /\/+/)
    .filter(name => name !== '')
  const firstWild = names.findIndex(name => /[*?]/.test(name))
  if (firstWild < 0) return { root: flavour.join(root, ...names), steps: [] }
  const wild = names.slice(firstWild)
  if (wild.at(-1) === '**') wild.push('*')
  if (wild.length > MAX_STEPS) return undefined
  return {
    root: flavour.join(root, ...names.slice(0, firstWild)),
    steps: wild.map(name => (name === '**' ? 'any-depth' : nameRule(name, windows))),
  }
}

function nameRule(pattern: string, windows: boolean): (name: string) => boolean {
  const fold = (text: string) => (windows ? text.toLowerCase() : text)
  const folded = fold(pattern)
  return name => meansName(folded, fold(name))
}

/** Goes back to the last star only: a pattern full of stars takes no longer than the name times its length. */
function meansName(pattern: string, name: string): boolean {
  let at = 0
  let star = -1
  let resume = 0
  for (let index = 0; index < name.length; ) {
    if (pattern[at] === '*') {
      star = at++
      resume = index
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[index])) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++resume
    } else return false
  }
  return /^\**$/.test(pattern.slice(at))
}

/** Where a walk stands in a pattern's steps; several places at once because of `**`. */
export type Places = ReadonlySet<number>

export const startPlaces = (pattern: PathPattern): Places => closure(pattern.steps, [0])

/** What a name in a folder at these places is: a file that the pattern means, and the places inside it as a folder. */
export function enter(pattern: PathPattern, places: Places, name: string): { file: boolean; inside: Places } {
  const { steps } = pattern
  const next: number[] = []
  let file = false
  for (const place of places) {
    const step = steps[place]
    if (step === 'any-depth') next.push(place)
    else if (step?.(name)) {
      if (place === steps.length - 1) file = true
      else next.push(place + 1)
    }
  }
  return { file, inside: closure(steps, next) }
}

/** `**` may stand for no folder at all. */
function closure(steps: readonly Step[], places: readonly number[]): Places {
  const all = new Set(places)
  for (const place of all) if (steps[place] === 'any-depth') all.add(place + 1)
  return all
}
