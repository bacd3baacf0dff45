import type { BackupReport } from '../../shared/wire.ts'
import type { Language } from '../language.ts'
import type { AgentStatus, Condition } from '../status.ts'
import { judgeBackups } from './backups.ts'
import { type Finding, finding, worstOf } from './finding.ts'
import { judgeViews } from './log-files.ts'
import { judgeRunning } from './running.ts'
import { CATALOGUES, type Catalogue } from './text/catalogue.ts'
import { fill, formatBytes, formatTime, type Reader } from './text/fill.ts'
import { printable, wrap } from './text/wrap.ts'

/** What `status` looks at: files of the state directory, and the system's service manager. */
export interface StatusFacts {
  readonly condition: Condition
  /** Release of this program. */
  readonly version: string
  readonly hostname: string
  readonly stateDirectory: string
  readonly nowMs: number
  /** URL without its login. */
  readonly proxy?: string | undefined
  readonly service: readonly Finding[]
  /** As the agent last wrote it; absent when it never ran. */
  readonly agent: AgentStatus | undefined
}

export interface StatusReader {
  readonly language: Language
  readonly timeZone?: string | undefined
}

const WIDTH = 80
/** The screen has 24 lines; these leave room for the others. */
const MAX_BACKUPS = 7
const MAX_NAME = 18

/** What keeps this host from being all right, the worst first. */
export function statusFindings(facts: StatusFacts): Finding[] {
  const { condition, stateDirectory: directory, agent, nowMs, version } = facts
  if (condition === 'removed') return [finding('host.removed', { reason: 'host_removed' })]
  if (condition === 'not enrolled') return [finding('host.not_enrolled', { directory })]
  const backups = agent?.backups ?? []
  return [
    ...judgeRunning({ condition, status: agent, nowMs, version }),
    ...facts.service,
    ...(backups.length > 0 ? judgeBackups([], backups) : []),
    ...judgeViews(agent?.logFiles ?? []),
  ]
}

export const isAllRight = (facts: StatusFacts): boolean => worstOf(statusFindings(facts)) !== 'error'

/** One screen of 80 columns: the verdict first, then line by line what it rests on. */
export function renderStatus(facts: StatusFacts, { language, timeZone }: StatusReader): string {
  const catalogue = CATALOGUES[language]
  const reader = { words: catalogue.words, timeZone }
  const lines = factLines(facts, catalogue, reader)
  const width = Math.max(...lines.map(([label]) => label.length)) + 2
  return [
    ...verdictLines(facts, catalogue, reader).flatMap(line => wrap(line, '', WIDTH)),
    '',
    ...lines.map(([label, text]) => cut(printable(`${label.padEnd(width)}${text}`).replaceAll('\n', ' '))),
  ].join('\n')
}

const cut = (line: string): string => (line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line)

function verdictLines(facts: StatusFacts, { findings, words }: Catalogue, reader: Reader): string[] {
  const wrong = statusFindings(facts).filter(({ severity }) => severity === 'error')
  if (wrong.length === 0) return [words.allRight]
  const said = wrong.map(({ code, params }) => fill(findings[code].what, params, reader))
  const [first = '', ...others] = said
  return [
    fill(words.status.wrong, { what: first }, reader),
    ...others.slice(0, 3).map(each => `  ${each}`),
    words.status.next,
  ]
}

type Line = readonly [label: string, text: string]

function factLines(facts: StatusFacts, catalogue: Catalogue, reader: Reader): Line[] {
  const { agent, service, condition, stateDirectory, hostname, nowMs } = facts
  const { status: words } = catalogue.words
  const say = (text: string, params = {}) => fill(text, params, reader)
  const state: Line = [words.state, stateDirectory]
  const runs: Line = [words.agent, conditionText(facts, reader)]
  if (!agent || condition === 'removed' || condition === 'not enrolled') return [runs, state]
  const { intervalMs, lastSnapshotAtMs, lastDeliveredAtMs, spool } = agent
  const ageMs = (atMs: number) => Math.max(nowMs - atMs, 0)
  const ago = (atMs: number | null, text: string) =>
    atMs === null ? words.never : say(text, { ageMs: ageMs(atMs), intervalMs })
  const { pendingBatches: batches, droppedSnapshots: dropped, asideBatches: aside } = spool
  return [
    runs,
    ...service.slice(0, 1).map(({ code, params }): Line => {
      const text = code === 'service.running' ? words.serviceRuns : catalogue.findings[code].what
      return [words.service, say(text, params)]
    }),
    [words.host, `${hostname} (${agent.hostId})`],
    [words.relay, facts.proxy ? say(words.through, { route: agent.route, proxy: facts.proxy }) : agent.route],
    [words.snapshot, ago(lastSnapshotAtMs, words.agoEvery)],
    [words.delivery, ago(lastDeliveredAtMs, words.ago)],
    ...passingProblem(facts).map(({ params }): Line => [words.problem, say('{reason}', params)]),
    [words.spool, say(words.queue, { batches, dropped, aside })],
    [words.metrics, unreadText(agent, reader)],
    ...backupLines(agent.backups ?? [], reader),
    ...logFilesLine(agent, reader),
    state,
  ]
}

/** What is not worth the verdict yet. */
const passingProblem = (facts: StatusFacts): Finding[] =>
  statusFindings(facts).filter(({ code, severity }) => code === 'agent.undelivered' && severity === 'warning')

function conditionText({ condition, agent }: StatusFacts, reader: Reader): string {
  const { status: words } = reader.words
  if (condition === 'removed') return words.removed
  if (condition === 'not enrolled') return words.notEnrolled
  if (condition === 'stopped') return words.stopped
  if (!agent) return words.unheard
  return fill(words.running, { version: agent.version, startedAtMs: agent.startedAtMs }, reader)
}

function unreadText({ unread }: AgentStatus, reader: Reader): string {
  const { status: words } = reader.words
  if (unread.length === 0) return words.allRead
  return fill(words.unread, { families: unread.map(({ family }) => family).join(', ') }, reader)
}

/** Only where some are followed. */
function logFilesLine({ logFiles = [] }: AgentStatus, reader: Reader): Line[] {
  const { status: words } = reader.words
  const troubled = logFiles.filter(({ problem }) => problem !== null).length
  if (logFiles.length === 0) return []
  return [[words.logFiles, fill(words.followed, { count: logFiles.length, troubled }, reader)]]
}

const RANK = ['failed', 'late', 'unknown', 'running', 'ok', 'unchanged']

/** The worst first, as many as fit. */
function backupLines(backups: readonly BackupReport[], reader: Reader): Line[] {
  const { status: words } = reader.words
  const sorted = backups.toSorted((a, b) => RANK.indexOf(a.state) - RANK.indexOf(b.state))
  const shown = sorted.slice(0, sorted.length > MAX_BACKUPS ? MAX_BACKUPS - 1 : MAX_BACKUPS)
  const width = Math.min(Math.max(...shown.map(({ name }) => name.length)), MAX_NAME)
  const texts = shown.map(report => `${clip(report.name, width)}  ${backupText(report, reader)}`)
  const hidden = sorted.length - shown.length
  const more = hidden > 0 ? [fill(words.more, { count: hidden }, reader)] : []
  return [...(texts.length > 0 ? texts : [words.none]), ...more].map(
    (text, index): Line => [index === 0 ? words.backups : '', text],
  )
}

const clip = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)

/** Without its year: what is shown here is of these days. */
const formatDay = (atMs: number, reader: Reader): string => formatTime(atMs, reader).slice('2026-'.length)

function backupText({ state, completedAtMs, sizeBytes, dueAtMs }: BackupReport, reader: Reader): string {
  const { status: words } = reader.words
  return [
    words.states[state],
    ...(completedAtMs === null ? [] : [formatDay(completedAtMs, reader)]),
    ...(sizeBytes === null ? [] : [formatBytes(sizeBytes, reader.words)]),
    ...(dueAtMs === null ? [] : [fill(words.due, { due: formatDay(dueAtMs, reader) }, reader)]),
  ].join(', ')
}

/** The same for a program. Fields are only ever added. */
export function statusJson(facts: StatusFacts, { language, timeZone }: StatusReader) {
  const catalogue = CATALOGUES[language]
  const reader = { words: catalogue.words, timeZone }
  const { condition, version, hostname, stateDirectory, proxy = null, agent = null } = facts
  const [verdict] = verdictLines(facts, catalogue, reader)
  const findings = statusFindings(facts).map(({ code, severity, params }) => {
    const what = fill(catalogue.findings[code].what, params, reader)
    return { code, severity, what, params }
  })
  return { ok: isAllRight(facts), verdict, condition, version, hostname, stateDirectory, proxy, agent, findings }
}
