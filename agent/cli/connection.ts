import { type Command, Option } from 'commander'

/** The options of every command that says how the relay is reached. */
export function addConnectionOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--proxy <url>', 'HTTP proxy: a URL, `file:PATH` or `-` (stdin) when it holds a password, or `none`'),
    )
    .addOption(new Option('--ca <file>', "PEM file with a company's own root certificates, or `none`"))
}

/** All of standard input. */
export async function readStdin(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk
  return text
}
