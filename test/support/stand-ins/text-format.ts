import { METRIC_NAME } from './protocol.ts'

/**
 * Prometheus' text exposition format 0.0.4, read as strictly as prometheus/common's expfmt.TextParser, which the
 * Pushgateway uses (1.5.1, each rule measured). Families of histograms and summaries are kept together, their `le` and
 * `quantile` are plain labels here.
 */
export type FamilyType = 'counter' | 'gauge' | 'untyped' | 'histogram' | 'summary'

export interface TextSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** The line had a timestamp. */
  readonly timestamped: boolean
}

export interface Family {
  readonly name: string
  type?: FamilyType
  help?: string
  readonly samples: TextSample[]
}

export class TextFormatError extends Error {}

const TYPES: readonly string[] = ['counter', 'gauge', 'untyped', 'histogram', 'summary']
const BLANK = /[ \t]/

/** Families by name, those without samples left out. `onDefect` hears what the parser lets pass and the format forbids. */
export function parseTextFormat(text: string, onDefect: (defect: string) => void): Map<string, Family> {
  const families = new Map<string, Family>()
  const lines = text.split('\n')
  const rest = lines.pop() ?? ''
  let current: string | undefined
  lines.forEach((line, index) => {
    try {
      current = readLine(line.replace(/^[ \t]+/, ''), families, current, onDefect)
    } catch (error) {
      if (!(error instanceof TextFormatError)) throw error
      throw new TextFormatError(`text format parsing error in line ${index + 1}: ${error.message}`)
    }
  })
  if (rest.trim() !== '')
    throw new TextFormatError(`text format parsing error in line ${lines.length + 1}: unexpected end of input stream`)
  return new Map([...families].filter(([, family]) => family.samples.length > 0))
}

/** Name of the family that the line speaks of, `before` for a blank line or a comment. */
function readLine(
  line: string,
  families: Map<string, Family>,
  before: string | undefined,
  onDefect: (defect: string) => void,
): string | undefined {
  if (line === '') return before
  if (line.startsWith('#')) return readComment(line.slice(1), families, onDefect) ?? before
  const sample = readSample(line)
  const family = familyOf(sample.name, families)
  if (family.samples.length > 0 && before !== family.name) onDefect(`lines of ${family.name} are not one group`)
  family.type ??= 'untyped'
  family.samples.push(sample)
  return family.name
}

function familyOf(sampleName: string, families: Map<string, Family>): Family {
  const base = families.get(sampleName.replace(/_(bucket|sum|count)$/, ''))
  if (base && (base.type === 'histogram' || base.type === 'summary')) return base
  return named(sampleName, families)
}

function named(name: string, families: Map<string, Family>): Family {
  const family = families.get(name) ?? { name, samples: [] }
  families.set(name, family)
  return family
}

function readComment(
  comment: string,
  families: Map<string, Family>,
  onDefect: (defect: string) => void,
): string | undefined {
  const [, keyword, name = '', after = ''] = /^[ \t]*(HELP|TYPE)[ \t]+([^ \t]*)(?:[ \t]+(.*))?$/s.exec(comment) ?? []
  if (!keyword || name === '') return undefined
  if (!METRIC_NAME.test(name)) throw new TextFormatError('invalid metric name in comment')
  const family = named(name, families)
  if (after === '') return name
  if (keyword === 'TYPE') {
    if (family.type !== undefined)
      throw new TextFormatError(`second TYPE line for metric name "${name}", or TYPE reported after samples`)
    const type = after.toLowerCase()
    if (!TYPES.includes(type)) throw new TextFormatError(`unknown metric type "${after}"`)
    family.type = type as FamilyType
  } else {
    if (family.help !== undefined) throw new TextFormatError(`second HELP line for metric name "${name}"`)
    if (family.samples.length > 0) onDefect(`HELP of ${name} after its samples`)
    family.help = unescapeText(after, /\\|n/)
  }
  return name
}

function readSample(line: string): TextSample {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0]
  if (!name) throw new TextFormatError('invalid metric name')
  const cursor = { line, at: name.length }
  skipBlank(cursor)
  const labels = line[cursor.at] === '{' ? readLabels(cursor, name) : {}
  skipBlank(cursor)
  const value = readFloat(readToken(cursor))
  if (cursor.at >= line.length) return { name, labels, value, timestamped: false }
  skipBlank(cursor)
  const time = readToken(cursor)
  if (!/^[+-]?\d+$/.test(time)) throw new TextFormatError(`expected integer as timestamp, got "${time}"`)
  if (cursor.at < line.length) throw new TextFormatError('spurious string after timestamp')
  return { name, labels, value, timestamped: true }
}

interface Cursor {
  readonly line: string
  at: number
}

function skipBlank(cursor: Cursor): void {
  while (BLANK.test(cursor.line[cursor.at] ?? '')) cursor.at += 1
}

function readToken(cursor: Cursor): string {
  const token = /^[^ \t]*/.exec(cursor.line.slice(cursor.at))?.[0] ?? ''
  cursor.at += token.length
  return token
}

function readLabels(cursor: Cursor, metric: string): Record<string, string> {
  const labels: Record<string, string> = {}
  cursor.at += 1
  for (;;) {
    skipBlank(cursor)
    if (cursor.line[cursor.at] === '}') break
    const name = /^[a-zA-Z_][a-zA-Z0-9_]*/.exec(cursor.line.slice(cursor.at))?.[0]
    if (!name) throw new TextFormatError(`invalid label name for metric "${metric}"`)
    if (name === '__name__') throw new TextFormatError('label name "__name__" is reserved')
    if (Object.hasOwn(labels, name)) throw new TextFormatError(`duplicate label names for metric "${metric}"`)
    cursor.at += name.length
    skipBlank(cursor)
    if (cursor.line[cursor.at] !== '=')
      throw new TextFormatError(`expected '=' after label name, found '${cursor.line[cursor.at] ?? '\\n'}'`)
    cursor.at += 1
    skipBlank(cursor)
    labels[name] = readLabelValue(cursor)
    skipBlank(cursor)
    const next = cursor.line[cursor.at]
    if (next === '}') break
    if (next !== ',') throw new TextFormatError(`unexpected end of label value "${labels[name]}"`)
    cursor.at += 1
  }
  cursor.at += 1
  return labels
}

function readLabelValue(cursor: Cursor): string {
  if (cursor.line[cursor.at] !== '"') throw new TextFormatError(`expected '"' at start of label value`)
  const raw = /^"((?:[^"\\]|\\.)*)"/.exec(cursor.line.slice(cursor.at))
  if (!raw) {
    // A wrong escape is found before the missing end.
    unescapeText(cursor.line.slice(cursor.at + 1).replace(/\\$/, ''), /\\|n|"/)
    throw new TextFormatError('label value contains unescaped new-line')
  }
  cursor.at += raw[0].length
  return unescapeText(raw[1] ?? '', /\\|n|"/)
}

function unescapeText(text: string, allowed: RegExp): string {
  return text.replace(/\\(.?)/gs, (_, character: string) => {
    if (!allowed.test(character)) throw new TextFormatError(`invalid escape sequence '\\${character}'`)
    return character === 'n' ? '\n' : character
  })
}

/** Go's strconv.ParseFloat without hexadecimals and underscores, which expfmt refuses; out of range is an error. */
function readFloat(token: string): number {
  if (/^nan$/i.test(token)) return Number.NaN
  if (/^[+-]?inf(inity)?$/i.test(token)) return token.startsWith('-') ? -Infinity : Infinity
  const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(token) ? Number(token) : Number.NaN
  if (!Number.isFinite(value)) throw new TextFormatError(`expected float as value, got "${token}"`)
  return value
}
