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

/**
 * All of standard input; of a person who types, one line: on Windows Node takes Ctrl-Z for a character, and would wait
 * for ever (https://github.com/nodejs/node/issues/61397).
 */
export async function readStdin(stdin: NodeJS.ReadableStream & { isTTY?: boolean } = process.stdin): Promise<string> {
  if (stdin.isTTY) process.stderr.write('Type it, then Enter / Введите и нажмите Enter:\n')
  const chunks: Buffer[] = []
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    if (stdin.isTTY && chunk.includes('\n')) break
  }
  return decodeTyped(Buffer.concat(chunks))
}
