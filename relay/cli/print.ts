import type { CliContext } from './context.ts'

/** The answer of the admin API as it came: what `--json` prints is as stable as the API. */
export function printJson(context: CliContext, answer: object): void {
  context.out(JSON.stringify(answer, null, 2))
}
