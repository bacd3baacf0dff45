/** What a backend would hold: one sample, or for Loki one entry whose `name` is its line. */
export interface Held {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Absent where the format has no time. */
  readonly atMs?: number
}

/**
 * Line protocol, read strictly and apart from the relay's writer: floats only, a backslash escapes a separator and else
 * stands for itself, as InfluxDB 1.6 reads it. A field is one {@link Held}, named `measurement field`.
 */
export function readLineProtocol(text: string): Held[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  return text.slice(0, -1).split('\n').flatMap(readLine)
}

function readLine(line: string): Held[] {
  const [head = '', fieldSet = '', time = '', ...rest] = splitUnescaped(line, ' ')
  if (rest.length > 0 || !/^\d{13}$/.test(time)) throw new Error(`three parts, the last in milliseconds: ${line}`)
  const [measurement = '', ...tags] = splitUnescaped(head, ',')
  if (measurement === '' || measurement.startsWith('#')) throw new Error(`no measurement: ${line}`)
  const labels = Object.fromEntries(tags.map(readPair))
  const keys = tags.map(tag => readPair(tag)[0])
  if (new Set(keys).size !== keys.length) throw new Error(`a tag twice: ${line}`)
  if (keys.some((key, at) => at > 0 && (keys[at - 1] ?? '') > key)) throw new Error(`tags are not sorted: ${line}`)
  return splitUnescaped(fieldSet, ',').map(field => {
    const [key, value] = readPair(field)
    if (!/^-?\d+(\.\d+)?(e[+-]\d+)?$/.test(value)) throw new Error(`not a float: ${field}`)
    return { name: `${unescapeSeparators(measurement)} ${key}`, labels, value: Number(value), atMs: Number(time) }
  })
}

function readPair(text: string): [string, string] {
  const [key, value, ...rest] = splitUnescaped(text, '=')
  if (!key || !value || rest.length > 0) throw new Error(`not key=value: ${text}`)
  return [unescapeSeparators(key), unescapeSeparators(value)]
}

/** Splits where `separator` has no backslash before it. */
function splitUnescaped(text: string, separator: ',' | '=' | ' '): string[] {
  return text.split(new RegExp(`(?<!\\\\)${separator}`))
}

function unescapeSeparators(text: string): string {
  return text.replace(/\\([,= ])/g, '$1')
}

const SERIES_LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/

/** Prometheus' text format without timestamps, read strictly and apart from the relay's writer. */
export function readExposition(text: string): Held[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const seen = new Set<string>()
  return text
    .slice(0, -1)
    .split('\n')
    .filter(line => !/^# (HELP|TYPE) /.test(line))
    .map(line => {
      const [, name, labelText = '', value] = SERIES_LINE.exec(line) ?? []
      if (name === undefined || value === undefined) throw new Error(`no series: ${line}`)
      const key = line.slice(0, line.lastIndexOf(' '))
      if (seen.has(key)) throw new Error(`a series twice: ${line}`)
      seen.add(key)
      return { name, labels: readLabels(labelText), value: Number(value) }
    })
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (let rest = text; rest !== ''; ) {
    const [whole, name, value] = LABEL.exec(rest) ?? []
    if (whole === undefined || name === undefined || value === undefined) throw new Error(`no label: ${rest}`)
    if (Object.hasOwn(labels, name)) throw new Error(`a label twice: ${name}`)
    labels[name] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
    rest = rest.slice(whole.length)
  }
  return labels
}
