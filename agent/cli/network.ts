import { Command } from 'commander'
import { readConfig, writeConfig } from '../config.ts'
import { UserError } from '../error.ts'
import { type ConnectionOptions, openConnection, writeConnection } from '../network/connection.ts'
import { addConnectionOptions, readStdin } from './connection.ts'
import { contextOf, print } from './context.ts'

export function networkCommand(): Command {
  const command = new Command('network').description('How this host reaches its relay: shows or changes it')
  return addConnectionOptions(command).action(async (options: ConnectionOptions, command: Command) => {
    const { paths } = contextOf(command)
    const config = readConfig(paths)
    if (!config) throw new UserError('This host is not enrolled: give --proxy and --ca to `onec-agent enrol`.')
    const connection = await openConnection(paths, config, options, readStdin)
    const changed = options.proxy !== undefined || options.ca !== undefined
    if (changed) {
      const { proxy: _proxy, ca: _ca, ...others } = config
      writeConfig(paths, { ...others, ...writeConnection(paths, connection) })
    }
    const { proxy, ca } = connection
    print(`Proxy: ${proxy ? `${proxy.url}${proxy.login ? ' (with a login)' : ''}` : 'none'}`)
    print(`Certificates of its own: ${ca.length === 0 ? 'none' : ca.length}`)
    if (changed) print('Restart the agent, then check it: onec-agent doctor')
  })
}
