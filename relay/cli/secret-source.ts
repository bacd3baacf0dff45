import { readFile } from 'node:fs/promises'
import { absolute } from './environment.ts'
import { systemCode, UserError } from './user-error.ts'

/** Far above any token or key; what is larger is the wrong file. */
const MAX_SECRET_CHARS = 64 * 1024

export interface SecretPorts {
  readonly workingDirectory: string
  readStdin(): Promise<string>
}

/**
 * Reads secrets named on the command line as `-` (standard input, at most one of them) or `file:PATH`, without the
 * line break at the end. A bare value is refused, and never repeated: the process list and the shell's history show it.
 */
export function secretReader(ports: SecretPorts): (option: string, source: string) => Promise<string> {
  let stdinTakenBy: string | undefined
  return async (option, source) => {
    if (source === '-') {
      if (stdinTakenBy)
        throw new UserError(`${stdinTakenBy} and ${option} both ask for standard input, which holds one secret.`, {
          next: `Put one of them into a file: ${withValue(option, 'file:PATH')}`,
        })
      stdinTakenBy = option
      return checked(option, await ports.readStdin(), 'standard input')
    }
    if (!source.startsWith('file:')) throw bareValue(option)
    const path = absolute(ports.workingDirectory, source.slice('file:'.length))
    return checked(option, await readSecretFile(option, path), path)
  }
}

export function bareValue(option: string): UserError {
  return new UserError(
    `${option} takes no secret on the command line: the process list and the shell's history would show it.`,
    {
      next: `Use \`${withValue(option, 'file:PATH')}\`, or \`${withValue(option, '-')}\` with the secret on standard input.`,
    },
  )
}

/** `--password` takes its value after a space, `--secret password` after an equals sign. */
function withValue(option: string, value: string): string {
  return option.includes(' ') ? `${option}=${value}` : `${option} ${value}`
}

async function readSecretFile(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UserError(`${option}: ${path} cannot be read: ${systemCode(error) ?? String(error)}.`, {
      next: 'Check the path and that you may read it.',
    })
  }
}

function checked(option: string, text: string, from: string): string {
  const secret = text.replace(/\r?\n$/, '')
  if (secret === '') throw new UserError(`${option}: ${from} holds no secret, it is empty.`)
  if (secret.length > MAX_SECRET_CHARS) throw new UserError(`${option}: ${from} is too large to be a secret.`)
  return secret
}
