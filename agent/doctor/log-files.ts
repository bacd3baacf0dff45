import { open } from 'node:fs/promises'
import type { HostConfig } from '../../shared/host-config.ts'
import { systemCode } from '../error.ts'
import type { LogProblem } from '../logs/problem.ts'
import type { LogFileView } from '../logs/view.ts'
import type { Check } from './check.ts'
import { type Finding, finding } from './finding.ts'

/** Whether each configured log file can be opened, and what the agent that follows them says of them. */
export function logFilesCheck(config: HostConfig, views: readonly LogFileView[]): Check {
  // What a pattern stands for only the agent resolves.
  const paths = (config.logFiles ?? []).map(({ path }) => path).filter(path => !/[*?]/.test(path))
  return {
    name: 'log files',
    deadlineMs: 10_000,
    async run() {
      const looked = await Promise.all(paths.map(look))
      const troubled = new Set(looked.filter(({ severity }) => severity !== 'ok').map(({ params }) => params.path))
      return [
        ...looked.filter(each => each.severity !== 'ok' || !hasProblem(views, each.params.path)),
        ...judgeViews(views, troubled),
      ]
    },
  }
}

const hasProblem = (views: readonly LogFileView[], path: unknown): boolean =>
  views.some(view => view.path === path && view.problem !== null)

/** `known`: paths whose trouble is told already. */
export function judgeViews(views: readonly LogFileView[], known: ReadonlySet<unknown> = new Set()): Finding[] {
  return views.flatMap(({ path, problem }) =>
    problem === null || known.has(path) ? [] : [judgeProblem(path, problem)],
  )
}

function judgeProblem(path: string, { code, detail }: LogProblem): Finding {
  if (code === 'no_file') return finding('log_file.missing', { path })
  return finding('log_file.unreadable', { path, reason: `log.${code}: ${detail}` })
}

async function look(path: string): Promise<Finding> {
  try {
    const file = await open(path, 'r')
    const { size: sizeBytes } = await file.stat().finally(() => file.close())
    return finding('log_file.readable', { path, sizeBytes })
  } catch (error) {
    const reason = systemCode(error)
    if (reason === undefined) throw error
    return reason === 'ENOENT'
      ? finding('log_file.missing', { path })
      : judgeProblem(path, { code: 'unreadable', detail: reason })
  }
}
