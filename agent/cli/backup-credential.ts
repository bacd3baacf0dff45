import { Command, Option } from 'commander'
import { type CredentialKind, checkCredential, openCredentials } from '../backup/credentials.ts'
import { systemCode, UserError } from '../error.ts'
import { secureStateDirectory } from '../state-directory.ts'
import { readTypedText } from '../typed-text.ts'
import { readStdin } from './connection.ts'
import { contextOf, log, print, stateOption } from './context.ts'

interface Target {
  readonly share?: string
  readonly sql?: string
}

/** User names and passwords for the shares and SQL Servers that backups are on. */
export function credentialCommand(): Command {
  const share = () => new Option('--share <path>', 'file server or share: \\\\nas\\backup').conflicts('sql')
  const sql = () => new Option('--sql <server>', 'SQL Server, as in the configuration')
  const set = new Command('set')
    .description('Keep a user name and password; the password comes from standard input, or from a file')
    .addOption(share())
    .addOption(sql())
    .requiredOption('--user <user>', 'user name, for example NAS\\backup')
    .option('--password <source>', 'file:PATH, or - for standard input', '-')
    .action(async (options: Target & { user: string; password: string }, self: Command) => {
      const [kind, target] = targetOf(options)
      const password = await readPassword(options.password)
      const given = checkCredential({ kind, target, user: options.user, password })
      const { directory, credentials } = contextOf(self).paths
      // Perhaps the first that is kept there: on Windows every account of the machine could open what it can read.
      secureStateDirectory(directory, log)
      openCredentials(credentials).set(given)
      print(`Kept for ${target}: user ${options.user}. The agent uses it at its next look.`)
      if (kind === 'share' && process.platform !== 'win32')
        print('On Linux shares are mounted: the agent reads the place where it is mounted, and needs no password.')
    })
  const list = new Command('list').description('Show what is kept, without passwords').action((_, self: Command) => {
    const found = openCredentials(contextOf(self).paths.credentials).list()
    for (const { kind, target, user } of found) print(`${kind}  ${target}  ${user}`)
    if (found.length === 0)
      print('None is kept. Example: onec-agent backup credential set --share \\\\nas\\backup --user NAS\\backup')
  })
  const remove = new Command('remove')
    .description('Forget one')
    .addOption(share())
    .addOption(sql())
    .action((options: Target, self: Command) => {
      const [kind, target] = targetOf(options)
      const removed = openCredentials(contextOf(self).paths.credentials).remove(kind, target)
      if (!removed) throw new UserError(`None is kept for ${target}. See: onec-agent backup credential list`)
      print(`Forgotten: ${target}`)
    })
  const credential = new Command('credential').description('User names and passwords for shares and SQL Servers')
  for (const command of [set, list, remove]) credential.addCommand(command.addOption(stateOption()))
  return credential
}

function targetOf({ share, sql }: Target): readonly [CredentialKind, string] {
  if (share !== undefined) return ['share', share]
  if (sql !== undefined) return ['sql', sql]
  throw new UserError('Name what it is for: --share \\\\nas\\backup, or --sql SERVER')
}

/** Never from an option itself: those are seen in the list of processes. */
async function readPassword(source: string): Promise<string> {
  const text = source === '-' ? await readStdin() : readPasswordFile(source)
  return text.replace(/\r?\n$/, '')
}

function readPasswordFile(source: string): string {
  if (!source.startsWith('file:')) throw new UserError('--password is file:PATH, or - for standard input')
  const file = source.slice('file:'.length)
  try {
    return readTypedText(file)
  } catch (error) {
    throw new UserError(`--password: ${file} cannot be read: ${systemCode(error) ?? error}. Check the path and rights.`)
  }
}
