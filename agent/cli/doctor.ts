import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { widenThreadPool } from '../config.ts'
import { examine } from '../doctor/doctor.ts'
import { worstOf } from '../doctor/finding.ts'
import { renderReport, reportJson } from '../doctor/render.ts'
import { endAfterOutput } from '../exit.ts'
import type { Language } from '../language.ts'
import { contextOf, print } from './context.ts'
import { languageOf, languageOption } from './language.ts'

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('What keeps this host from being watched, and what to do about it; exit code 1 when something does')
    .option('--json', 'as JSON', false)
    .addOption(languageOption())
    .action(async (options: { json: boolean; lang?: Language }, command: Command) => {
      const { paths, environment } = contextOf(command)
      widenThreadPool()
      const report = await examine(paths, environment, systemClock)
      const reader = { language: languageOf(options) }
      print(options.json ? JSON.stringify(reportJson(report, reader), undefined, 2) : renderReport(report, reader))
      // A call into a dead network drive cannot be called off, and must not keep this waiting.
      await endAfterOutput(worstOf(report.findings) === 'error' ? 1 : 0)
    })
}
