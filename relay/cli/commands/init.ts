import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { absolute, dataDirectory, privateDirectoryOf } from '../environment.ts'
import { printJson } from '../print.ts'
import { initPrivateDirectory, type PrivatePaths } from '../private-directory.ts'
import { shellWord } from '../shell-word.ts'

interface InitOptions {
  readonly data?: string
  readonly private?: string
  readonly json?: boolean
}

export function addInitCommand(program: Command, context: CliContext): void {
  program
    .command('init')
    .description("make the relay's keys and the first operator token")
    .option('--data <dir>', 'the data directory that they are for (RELAY_DATA, else .data)')
    .option('--private <dir>', 'where to put them, never within the data directory (else <data>.private)')
    .option('--json', 'print what was made as JSON (paths only)')
    .action(async (options: InitOptions) => {
      const data = options.data ?? dataDirectory(context.variables)
      const directory = options.private ?? privateDirectoryOf(data)
      await initPrivateDirectory(
        absolute(context.workingDirectory, directory),
        absolute(context.workingDirectory, data),
      )
      const { keys, operatorToken, operatorHash } = pathsAsTyped(directory)
      if (options.json) return printJson(context, { keys, operatorToken, operatorHash })
      context.out(nextSteps({ keys, operatorToken, operatorHash }, data, directory))
    })
}

type InitPaths = Pick<PrivatePaths, 'keys' | 'operatorToken' | 'operatorHash'>

/** Relative when the directory was given so: what people read is what they can type. */
function pathsAsTyped(directory: string): InitPaths {
  const base = directory.replace(/[\\/]+$/, '')
  return {
    keys: `${base}/keys.json`,
    operatorToken: `${base}/operator.token`,
    operatorHash: `${base}/operator.sha256`,
  }
}

function nextSteps({ keys, operatorToken, operatorHash }: InitPaths, data: string, directory: string): string {
  const [keysWord, tokenWord, hashWord] = [keys, operatorToken, operatorHash].map(shellWord)
  return `Made the keyring ${keys} and the first operator token ${operatorToken}.
Keep a copy of both apart from the backups of the data: without the keyring the relay can read neither tokens nor secrets.

On your own machine:
  onec-relay serve --data ${shellWord(data)} --private ${shellWord(directory)}
On Cloudflare:
  npx wrangler secret put RELAY_KEYS < ${keysWord}
  npx wrangler secret put RELAY_OPERATOR_HASH < ${hashWord}
  npx wrangler deploy
Then:
  export ONEC_RELAY_URL=http://127.0.0.1:8787 ONEC_RELAY_TOKEN_FILE=${tokenWord}
  onec-relay tenant add "ООО Ромашка"`
}
