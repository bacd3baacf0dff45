import {
  type Answer,
  decodeUtf8,
  type Exchange,
  inflate,
  type Protocol,
  plainValue,
  refuse,
  type Verdict,
} from './protocol.ts'
import { type GroupLabels, readPushPath } from './push-path.ts'
import { createStore, type StoreBounds, seriesKey } from './store.ts'
import { type Family, type FamilyType, parseTextFormat, TextFormatError, type TextSample } from './text-format.ts'

/** One group: what was last pushed under a grouping key, by metric name, and when pushes went well and badly. */
interface Group {
  readonly labels: GroupLabels
  readonly families: ReadonlyMap<string, Family>
  readonly pushedAtMs: number
  readonly failedAtMs: number
}

type Groups = ReadonlyMap<string, Group>

const MAX_GROUPS = 5_000

/** Pushgateway 1.5.1: `PUT` replaces a group, `POST` its metrics of the same names, `DELETE` removes exactly that key. */
export function pushgateway(bounds: StoreBounds): Protocol {
  const store = createStore(bounds)
  let groups: Groups = new Map()

  function push(exchange: Exchange, labels: GroupLabels): Verdict {
    const defects: string[] = []
    const families = read(exchange, defects)
    const key = groupKey(labels)
    const before = groups.get(key) ?? { labels, families: new Map(), pushedAtMs: 0, failedAtMs: 0 }
    // As the real one: a body that cannot be read leaves no trace, one that contradicts the others is remembered.
    if (typeof families === 'string') return refuse(400, families)
    const pushed = new Map([...families].map(([name, family]) => [name, underLabels(family, labels, defects)]))
    const kept = exchange.method === 'PUT' ? pushed : new Map([...before.families, ...pushed])
    const after: Groups = new Map([...groups, [key, { ...before, families: kept, pushedAtMs: exchange.nowMs }]])
    const wrong = [...families.values()].some(family => family.samples.some(sample => sample.timestamped))
      ? 'pushed metrics must not have timestamps'
      : inconsistency(after)
    if (wrong !== undefined)
      return {
        answer: { status: 400, body: `pushed metrics are invalid or inconsistent with existing metrics: ${wrong}\n` },
        defects,
        onRefusal: () => keep(new Map([...groups, [key, { ...before, failedAtMs: exchange.nowMs }]])),
      }
    return {
      answer: { status: 200 },
      defects: [...defects, ...headerDefects(exchange)],
      commit() {
        keep(after)
        for (const family of pushed.values())
          for (const { name, labels: own, value } of family.samples)
            store.take({ name, labels: own, atMs: exchange.nowMs, value: plainValue(value) })
      },
    }
  }

  function keep(next: Groups): void {
    groups = new Map([...next].slice(-MAX_GROUPS))
  }

  function judge(exchange: Exchange): Verdict {
    const path = readPushPath(exchange.path)
    if (!path) return refuse(405, 'Method Not Allowed')
    if (path.kind === 'refused')
      return refuse(path.status, path.reason, path.location ? { location: path.location } : undefined)
    if (exchange.method === 'PUT' || exchange.method === 'POST') return push(exchange, path.labels)
    if (exchange.method !== 'DELETE') return refuse(405, 'Method Not Allowed')
    const key = groupKey(path.labels)
    const commit = () => keep(new Map([...groups].filter(([other]) => other !== key)))
    return { answer: { status: 202 }, defects: [], commit }
  }

  return {
    kind: 'pushgateway',
    title: 'Pushgateway',
    store,
    writes: ({ method, path }) => path.startsWith('/metrics/') || (path === '/metrics' && method !== 'GET'),
    judge,
    read: ({ path }) => (path === '/metrics' ? exposition(groups) : undefined),
    metadata: () =>
      Object.fromEntries(
        allFamilies(groups).map(({ name, type, help }) => [name, { type: type ?? 'untyped', help: help ?? '' }]),
      ),
    clear() {
      store.clear()
      groups = new Map()
    },
  }
}

const groupKey = (labels: GroupLabels) => JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))

function read({ body, headers }: Exchange, defects: string[]): Map<string, Family> | string {
  try {
    const text = decodeUtf8(headers['content-encoding'] === 'gzip' ? inflate(body, 'gzip') : body)
    if (text === undefined) return 'text format parsing error in line 1: invalid label value'
    return parseTextFormat(text, defect => defects.push(defect))
  } catch (error) {
    return error instanceof TextFormatError ? error.message : 'gzip: invalid header'
  }
}

/** The group's labels go over the body's, and a sample without an instance gets the empty one. */
function underLabels(family: Family, group: GroupLabels, defects: string[]): Family {
  const samples = family.samples.map((sample): TextSample => {
    for (const [name, value] of Object.entries(sample.labels)) {
      if (value === '') defects.push(`label "${name}" of ${sample.name} has no value`)
      if (Object.hasOwn(group, name) && group[name] !== value)
        defects.push(`label ${name}="${value}" of ${sample.name} is overwritten by the group's`)
    }
    if (Number.isNaN(sample.value)) defects.push(`${sample.name} is NaN: what is unknown is left out`)
    return { ...sample, labels: { instance: '', ...sample.labels, ...group } as Record<string, string> }
  })
  return { ...family, samples }
}

const headerDefects = ({ headers }: Exchange) =>
  /^text\/plain\b/.test(headers['content-type'] ?? '') ? [] : ['header content-type is not text/plain']

/** All families of all groups, with the two that the gateway itself adds to each group. */
function allFamilies(groups: Groups): Family[] {
  return [...groups.values()].flatMap(group => [
    ...group.families.values(),
    own(
      'push_time_seconds',
      'Last Unix time when changing this group in the Pushgateway succeeded.',
      group.pushedAtMs,
      group,
    ),
    own(
      'push_failure_time_seconds',
      'Last Unix time when changing this group in the Pushgateway failed.',
      group.failedAtMs,
      group,
    ),
  ])
}

function own(name: string, help: string, atMs: number, { labels }: Group): Family {
  const all = { instance: '', ...labels } as Record<string, string>
  return { name, type: 'gauge', help, samples: [{ name, labels: all, value: atMs / 1000, timestamped: false }] }
}

/**
 * What is wrong with everything held together (storage/diskmetricstore.go, `checkConsistency`): one type a name over
 * all groups, no series twice, label values in UTF-8. So one group can poison the pushes of all others: `job="a"` alone
 * and `job="a"`, `instance=""` give the same `push_time_seconds`, and no push succeeds until one of them is deleted.
 */
function inconsistency(groups: Groups): string | undefined {
  const types = new Map<string, FamilyType | undefined>()
  const seen = new Set<string>()
  for (const { name: family, type, samples } of allFamilies(groups)) {
    const known = types.get(family)
    if (known !== undefined && known !== type) return `collected metric "${family}" is not a ${known.toUpperCase()}`
    types.set(family, type)
    for (const { name, labels } of samples) {
      const values: readonly (string | undefined)[] = Object.values(labels)
      if (values.includes(undefined)) return `collected metric "${name}" has a label whose value is not utf8`
      const reserved = Object.keys(labels).find(label => label.startsWith('__'))
      if (reserved) return `collected metric "${name}" has a label named "${reserved}" whose name is invalid`
      const key = seriesKey(name, labels)
      if (seen.has(key)) return `collected metric "${name}" was collected before with the same name and label values`
      seen.add(key)
    }
  }
  return undefined
}

/** `GET /metrics`: everything held, by name; 500 while it contradicts itself. */
function exposition(groups: Groups): Answer {
  const wrong = inconsistency(groups)
  if (wrong) return { status: 500, body: `An error has occurred while serving metrics:\n\n${wrong}\n` }
  const byName = new Map<string, Family[]>()
  for (const family of allFamilies(groups)) byName.set(family.name, [...(byName.get(family.name) ?? []), family])
  const sorted = [...byName].sort(([a], [b]) => (a < b ? -1 : 1))
  const text = sorted.map(([name, families]) => {
    const help = families.find(family => family.help !== undefined)?.help
    const head = help === undefined ? '' : `# HELP ${name} ${escapeText(help)}\n`
    return `${head}# TYPE ${name} ${families[0]?.type ?? 'untyped'}\n${families.flatMap(f => f.samples.map(sampleLine)).join('')}`
  })
  return { status: 200, body: text.join(''), headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } }
}

const escapeText = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

function sampleLine({ name, labels, value }: TextSample): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  const text = pairs.map(([label, held]) => `${label}="${escapeText(held).replaceAll('"', '\\"')}"`).join(',')
  return `${name}{${text}} ${plainValue(value)}\n`
}
