import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { readConfig, type StatePaths } from '../config.ts'
import { runChecks } from '../doctor/check.ts'
import { sayInBoth } from '../doctor/explain.ts'
import { finding } from '../doctor/finding.ts'
import { serviceCheck } from '../doctor/service.ts'
import { isAllRight, renderStatus, type StatusFacts, statusJson } from '../doctor/status-view.ts'
import { describeError, systemCode, UserError } from '../error.ts'
import { readHostname } from '../identity.ts'
import type { Language } from '../language.ts'
import { readCondition, readStatus } from '../status.ts'
import { VERSION } from '../version.ts'
import { contextOf, print } from './context.ts'
import { languageOf, languageOption } from './language.ts'

export function statusCommand(): Command {
  return new Command('status')
    .description('Whether this host is all right, in one screen; exit code 1 when it is not')
    .option('--json', 'as JSON', false)
    .addOption(languageOption())
    .action(async (options: { json: boolean; lang?: Language }, command: Command) => {
      const { paths } = contextOf(command)
      const reader = { language: languageOf(options) }
      const facts = await readFacts(paths).catch(error => {
        throw explain(error, paths, reader.language)
      })
      print(options.json ? JSON.stringify(statusJson(facts, reader), undefined, 2) : renderStatus(facts, reader))
      process.exitCode = isAllRight(facts) ? 0 : 1
    })
}

/** Whoever is no administrator may not look into the state directory. */
function explain(error: unknown, { directory }: StatePaths, language: Language): unknown {
  if (systemCode(error) === undefined) return error
  const found = finding('state.unreadable', { path: directory, reason: describeError(error) })
  return new UserError(sayInBoth(found, language))
}

async function readFacts(paths: StatePaths): Promise<StatusFacts> {
  return {
    condition: readCondition(paths),
    version: VERSION,
    hostname: readHostname(),
    stateDirectory: paths.directory,
    nowMs: systemClock.nowMs(),
    proxy: readProxy(paths),
    service: await runChecks([serviceCheck()], systemClock),
    agent: readStatus(paths.status),
  }
}

/** A damaged configuration is `doctor`'s to explain. */
function readProxy(paths: StatePaths): string | undefined {
  try {
    return readConfig(paths)?.proxy
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}
