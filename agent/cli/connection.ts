import { buffer } from 'node:stream/consumers'
import { type Command, Option } from 'commander'
import { decodeTyped } from '../typed-text.ts'

/** The options of every command that says how the relay is reached. */
export function addConnectionOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--proxy <url>', 'HTTP proxy: a URL, `file:PATH` or `-` (stdin) when it holds a password, or `none`'),
    )
    .addOption(new Option('--ca <file>', "PEM file with a company's own root certificates, or `none`"))
}

/** All of standard input, where a person may be typing. */
export async function readStdin(): Promise<string> {
  const end = process.platform === 'win32' ? 'Ctrl-Z, Enter' : 'Ctrl-D'
  if (process.stdin.isTTY) process.stderr.write(`Type it, then Enter, ${end} / Введите, затем Enter, ${end}:\n`)
  return decodeTyped(await buffer(process.stdin))
}
