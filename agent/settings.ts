import type { HostConfig } from '../shared/host-config.ts'
import { configReply } from '../shared/wire.ts'
import { effectiveConfig, readRelayConfig, type StatePaths, writeRelayConfig } from './config.ts'
import { systemCode } from './error.ts'
import { decodeJson } from './json.ts'
import type { Log } from './log.ts'
import type { Exchange } from './relay.ts'

export interface Settings {
  /** What applies on this host now. */
  readonly current: () => HostConfig & { readonly intervalMs: number }
  /** Fetches the relay's configuration when `revision` is not the one at hand; true when something changed. */
  refresh(revision: number, route: string, signal: AbortSignal): Promise<boolean>
}

export interface SettingsOptions {
  readonly paths: StatePaths
  readonly local: HostConfig
  readonly environmentIntervalMs: number | undefined
  readonly token: string
  readonly exchange: Exchange
  readonly log: Log
}

export function createSettings(options: SettingsOptions): Settings {
  const { paths, local, environmentIntervalMs, token, exchange, log } = options
  let relay = readRelayConfig(paths)
  let current = effectiveConfig(relay?.config, local, environmentIntervalMs)
  /** One that cannot be used is not fetched at every post. */
  let refused: number | undefined

  return {
    current: () => current,
    async refresh(revision, route, signal) {
      if (revision === relay?.revision || revision === refused) return false
      const reply = await exchange({ method: 'GET', route, path: 'v1/config', token, signal })
      // No good answer: the next post's answer asks again.
      if (reply.status !== 200) return false
      const parsed = configReply.safeParse(decodeJson(reply.body))
      if (!parsed.success) {
        refused = revision
        log(
          'warn',
          `The relay's configuration ${revision} cannot be used; ${relay?.revision ?? 'the local one'} stays in force`,
        )
        return false
      }
      relay = parsed.data
      current = effectiveConfig(relay.config, local, environmentIntervalMs)
      keep(parsed.data)
      log('info', `Configuration ${relay.revision} applies (interval: ${current.intervalMs / 1000}s)`)
      return true
    },
  }

  function keep(config: Parameters<typeof writeRelayConfig>[1]): void {
    try {
      writeRelayConfig(paths, config)
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      log(
        'warn',
        `Configuration ${config.revision} applies but cannot be kept (${systemCode(error)}): fetched again after a restart`,
      )
    }
  }
}
