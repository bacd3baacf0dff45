import type { Language } from '../language.ts'
import { type Finding, type Severity, worstOf } from './finding.ts'
import { type Area, CATALOGUES, type Catalogue } from './text/catalogue.ts'
import { fill, formatDuration, formatTime, type Reader } from './text/fill.ts'
import { wrap } from './text/wrap.ts'

/** All that `doctor` found, in the order of its checks. */
export interface Report {
  readonly version: string
  readonly hostname: string
  readonly atMs: number
  readonly findings: readonly Finding[]
}

export interface RenderOptions {
  readonly language: Language
  readonly timeZone?: string | undefined
}

const WIDTH = 80

/** The first line: whether all is right, in one sentence. */
export function verdictOf(findings: readonly Finding[], { words }: Catalogue): string {
  const count = (severity: Severity) => findings.filter(each => each.severity === severity).length
  const [errors, warnings] = [count('error'), count('warning')]
  const text = { ok: words.allRight, warning: words.allRightWarned, error: words.wrong }[worstOf(findings)]
  return fill(text, { errors, warnings }, { words })
}

/** The report for a terminal of 80 columns: what is wrong with its way out first, then what is in order. */
export function renderReport(report: Report, options: RenderOptions): string {
  const catalogue = CATALOGUES[options.language]
  const reader = { words: catalogue.words, timeZone: options.timeZone }
  const { findings } = report
  const troubles = [...findings.filter(isError), ...findings.filter(each => each.severity === 'warning')]
  const right = findings.filter(each => each.severity === 'ok')
  const time = formatTime(report.atMs, reader)
  const lines = [
    verdictOf(findings, catalogue),
    `onec-agent ${report.version} · ${report.hostname} · ${time}`,
    ...troubles.flatMap(each => ['', ...renderTrouble(each, catalogue, reader)]),
    ...(right.length > 0 ? ['', `${catalogue.words.checked}:`, ...renderRight(right, catalogue, reader)] : []),
  ]
  return lines.join('\n')
}

const isError = ({ severity }: Finding): boolean => severity === 'error'
const areaOf = ({ code }: Finding): Area => code.slice(0, code.indexOf('.')) as Area

function renderTrouble(finding: Finding, { findings, words }: Catalogue, reader: Reader): string[] {
  const { what, why, todo } = findings[finding.code]
  const say = (text: string) => fill(text, finding.params, reader)
  const took = finding.elapsedMs === undefined ? '' : `, ${formatDuration(finding.elapsedMs, words)}`
  return [
    `${words.severity[finding.severity]} · ${words.areas[areaOf(finding)]} [${finding.code}${took}]`,
    ...wrap(say(what), '  ', WIDTH),
    ...(why ? wrap(`${words.why}: ${say(why)}`, '  ', WIDTH) : []),
    ...(todo ? wrap(`${words.todo}: ${say(todo)}`, '  ', WIDTH) : []),
  ]
}

/** By what they are about, one line each as far as it fits. */
function renderRight(right: readonly Finding[], { findings, words }: Catalogue, reader: Reader): string[] {
  const areas = [...new Set(right.map(areaOf))]
  return areas.flatMap(area => [
    `  ${words.areas[area]}`,
    ...right
      .filter(each => areaOf(each) === area)
      .flatMap(each => wrap(fill(findings[each.code].what, each.params, reader), '    ', WIDTH)),
  ])
}

/** The same for a program: codes and params are stable, texts are in the language that was asked for. */
export function reportJson(report: Report, { language, timeZone }: RenderOptions) {
  const catalogue = CATALOGUES[language]
  const reader = { words: catalogue.words, timeZone }
  const { version, hostname, atMs, findings } = report
  return {
    ok: worstOf(findings) !== 'error',
    verdict: verdictOf(findings, catalogue),
    version,
    hostname,
    atMs,
    findings: findings.map(({ code, severity, params, elapsedMs }) => {
      const { what, why, todo } = catalogue.findings[code]
      const say = (text: string | undefined) => (text === undefined ? null : fill(text, params, reader))
      const texts = { what: say(what), why: say(why), todo: say(todo) }
      return { code, severity, ...texts, elapsedMs: elapsedMs === undefined ? null : Math.round(elapsedMs), params }
    }),
  }
}
