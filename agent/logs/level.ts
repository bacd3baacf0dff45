import type { Entry } from '../../shared/wire.ts'

export type Level = Entry['level']

/** From the least to the most serious. */
export const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']

export const isBelow = (level: Level, minimum: Level): boolean => LEVELS.indexOf(level) < LEVELS.indexOf(minimum)

/** A level stands near the front of a line; a word further on is part of what is told. */
const HEAD_CHARS = 160

/** Words that name a level, in capitals in a line, or in any case after `level=` and in JSON. */
const WORDS: Readonly<Record<string, Level>> = {
  ...{ TRACE: 'debug', DEBUG: 'debug', VERBOSE: 'debug', FINE: 'debug' },
  ...{ INFO: 'info', INFORMATION: 'info', NOTICE: 'info', SUCCESS: 'info' },
  ...{ WARN: 'warn', WARNING: 'warn' },
  ...{ ERROR: 'error', ERR: 'error', SEVERE: 'error', CRITICAL: 'error', CRIT: 'error', FATAL: 'error' },
  ...{ ALERT: 'error', EMERG: 'error', PANIC: 'error', FAILURE: 'error' },
  ...{ ОТЛАДКА: 'debug', ИНФОРМАЦИЯ: 'info', ИНФО: 'info', ПРИМЕЧАНИЕ: 'info', УСПЕХ: 'info' },
  ...{ ПРЕДУПРЕЖДЕНИЕ: 'warn', ВНИМАНИЕ: 'warn' },
  ...{ ОШИБКА: 'error', КРИТИЧНО: 'error', СБОЙ: 'error', АВАРИЯ: 'error', ИСКЛЮЧЕНИЕ: 'error' },
}

const RUSSIAN = Object.keys(WORDS).filter(word => /^[А-Я]/.test(word))
/** "Ошибка" as well as "ОШИБКА"; never "ошибка", which stands inside a sentence. */
const spelled = RUSSIAN.flatMap(word => [word, word.charAt(0) + word.slice(1).toLowerCase()])
const LATIN = Object.keys(WORDS).filter(word => /^[A-Z]/.test(word))

const KEYED = /(?<![\p{L}\p{N}_])["']?(?:level|lvl|severity|loglevel)["']?\s*[=:]\s*["']?(\p{L}+|\d+)/iu
const BRACKETED = /[[(<](\p{L}+)[\])>]/gu
const WORD = new RegExp(`(?<![\\p{L}\\p{N}_/\\\\-])(?:${[...LATIN, ...spelled].join('|')})(?![\\p{L}\\p{N}_])`, 'u')
const TROUBLE =
  /^(?:Traceback \(most recent call last\)|Unhandled |Exception in thread|panic: |[\w.]+(?:Error|Exception):)/

/** The level that a line names; absent when it names none. Of several the first one counts. */
export function levelOf(line: string): Level | undefined {
  const head = line.slice(0, HEAD_CHARS)
  if (head.startsWith('{')) {
    const found = levelOfJson(line)
    if (found) return found
  }
  if (TROUBLE.test(head)) return 'error'
  const finds = [keyed(head), bracketed(head), word(head)].filter(find => find !== undefined)
  return finds.reduce<Find | undefined>((first, find) => (first && first.at <= find.at ? first : find), undefined)
    ?.level
}

interface Find {
  readonly at: number
  readonly level: Level
}

function keyed(head: string): Find | undefined {
  const match = KEYED.exec(head)
  const level = match && levelNamed(match[1])
  return level ? { at: match.index, level } : undefined
}

/** In brackets any case will do: `[Error]`, `<warn>`. */
function bracketed(head: string): Find | undefined {
  for (const match of head.matchAll(BRACKETED)) {
    const level = levelNamed(match[1])
    if (level) return { at: match.index, level }
  }
  return undefined
}

function word(head: string): Find | undefined {
  const match = WORD.exec(head)
  const level = match && levelNamed(match[0])
  return level ? { at: match.index, level } : undefined
}

/** pino's and bunyan's numbers: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
function levelNamed(name: unknown): Level | undefined {
  if (typeof name === 'string' && !/^\d+$/.test(name)) return WORDS[name.toUpperCase()]
  const number = Number(name)
  if (!Number.isFinite(number) || number < 10 || number > 60) return undefined
  return number < 30 ? 'debug' : number < 40 ? 'info' : number < 50 ? 'warn' : 'error'
}

function levelOfJson(line: string): Level | undefined {
  const fields = parseJsonLine(line)
  if (!fields) return undefined
  for (const name of ['level', 'severity', 'lvl', 'levelname', 'log.level', '@l', 'Level']) {
    const level = levelNamed(fields[name])
    if (level) return level
  }
  return undefined
}

/** A line that is one JSON object. */
export function parseJsonLine(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{') || !line.trimEnd().endsWith('}')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}
