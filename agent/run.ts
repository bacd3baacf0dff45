import { rmSync } from 'node:fs'
import { openLedger } from './backup/ledger.ts'
import { rememberTold, type TellingLedger } from './backup/told.ts'
import { watchBackups } from './backup/watching.ts'
import type { Clock } from './clock.ts'
import { hostFiles } from './collect/host-files.ts'
import { platformCollectors } from './collect/index.ts'
import { plainInventory, readInventory } from './collect/inventory.ts'
import { createSampler } from './collect/sampler.ts'
import { type Collection, createCollection } from './collection.ts'
import { type AgentConfig, type Environment, readConfig, readToken, type StatePaths, writeRemoved } from './config.ts'
import { createDelivery, type Delivery } from './delivery.ts'
import { UserError } from './error.ts'
import { readBootId, readHostname } from './identity.ts'
import { takeLock } from './lock.ts'
import type { Log } from './log.ts'
import { logCollector } from './logs/collector.ts'
import { logDisk } from './logs/disk.ts'
import { createFollower, type LogFollower } from './logs/follower.ts'
import { hostLocalClock } from './logs/time.ts'
import type { Exchange } from './relay.ts'
import { createSettings, type Settings } from './settings.ts'
import { createShipper, type Shipper } from './ship.ts'
import { type Aside, openAside } from './spool/aside.ts'
import { cutBatch } from './spool/batch.ts'
import { diskFiles } from './spool/files.ts'
import { openSpool, type Spool } from './spool/spool.ts'
import { type AgentStatus, createStatusWriter } from './status.ts'
import { VERSION } from './version.ts'

const SPOOL_BYTES = 64 * 1024 * 1024
const SPOOL_AGE_MS = 7 * 86_400_000
const COLLECTOR_DEADLINE_MS = 2_000
const INVENTORY_DEADLINE_MS = 5_000

export interface RunOptions {
  readonly paths: StatePaths
  readonly environment: Environment
  readonly clock: Clock
  readonly log: Log
  readonly exchange: Exchange
  /** In [0, 1). */
  readonly random: () => number
  /** Everything is ready, and the loops begin. */
  readonly onStarted?: () => void
  /** Bound of the spool; the one for a client's server unless given. */
  readonly spoolBytes?: number
}

/**
 * The agent itself: takes snapshots into the spool and ships them, until `stop` is aborted or the relay says that the
 * host was removed. Fails with a UserError when it cannot begin.
 */
export async function runAgent(options: RunOptions, stop: AbortSignal): Promise<void> {
  const { paths, environment, clock, log } = options
  for (const warning of environment.warnings) log('warn', warning)
  const token = readToken(paths)
  const config = readConfig(paths)
  if (!config) throw new UserError(`There is no ${paths.config}. Enrol this host again.`)
  const unlock = takeLock(paths.lock)
  try {
    const worker = await assemble(options, token, config)
    log('info', `Metrics worker started (interval: ${worker.settings.current().intervalMs / 1000}s)`)
    options.onStarted?.()
    const removedReason = await runLoops(worker, stop)
    worker.spool.close()
    if (removedReason === undefined) return log('info', 'Metrics worker stopped')
    writeRemoved(paths, clock.nowMs(), removedReason)
    rmSync(paths.spool, { recursive: true, force: true, maxRetries: 5 })
    const done = 'token and spool are erased. To come back, enrol it again'
    log('warn', `This host was removed at the relay (${removedReason}): ${done}.`)
  } finally {
    unlock()
  }
}

interface Worker {
  readonly spool: Spool
  readonly settings: Settings
  readonly collection: Collection
  readonly delivery: Delivery
  readonly watchBackups: (halt: AbortSignal) => Promise<void>
}

async function assemble(options: RunOptions, token: string, config: AgentConfig): Promise<Worker> {
  const { paths, clock, log, exchange, random } = options
  const bounds = { maxBytes: options.spoolBytes ?? SPOOL_BYTES, maxAgeMs: SPOOL_AGE_MS }
  const spool = openSpool({ files: diskFiles, directory: paths.spool, ...bounds, cut: cutBatch })
  const aside = openAside(diskFiles, paths.aside)
  const environmentIntervalMs = options.environment.intervalMs
  const settings = createSettings({ paths, local: config.host ?? {}, environmentIntervalMs, token, exchange, log })
  const startedAtMs = clock.nowMs()
  const os = await readInventoryWithin(clock)
  const identity = { version: VERSION, os, hostname: readHostname(), bootId: readBootId(startedAtMs) }
  const agent = () => ({ ...identity, intervalMs: settings.current().intervalMs })
  const shipper = createShipper({ spool, aside, exchange, routes: config.routes, token, agent, clock, random })
  const collectors = platformCollectors(process.platform, { files: hostFiles, config: settings.current })
  const logs = followLogs(options, spool, settings)
  const ledger = rememberTold(openLedger({ directory: paths.backups, spooled: spool.reports }))
  const saveStatus = () => statusWriter.save()
  const collection = createCollection({
    sampler: createSampler([...collectors, logCollector(logs, spool)], COLLECTOR_DEADLINE_MS, clock),
    ledger,
    logs,
    spool,
    settings,
    clock,
    log,
    onSpooled: () => delivery.wake(),
    onTick: saveStatus,
  })
  const onGranted = collection.align
  const delivery = createDelivery({ shipper, settings, clock, log, onGranted, onTick: saveStatus })
  const loops = { collection, delivery, ledger, logs }
  const facts = { startedAtMs, hostId: config.hostId, spool, aside, settings, shipper, ...loops }
  const statusWriter = createStatusWriter(paths.status, () => statusOf(facts), log)
  const watching = { paths, ledger, config: settings.current, clock, log }
  return { spool, settings, collection, delivery, watchBackups: halt => watchBackups(watching, halt) }
}

/** With more than a quarter of the spool taken lines wait in their files: they never push a snapshot out. */
function followLogs({ paths, clock, log, spoolBytes = SPOOL_BYTES }: RunOptions, spool: Spool, settings: Settings) {
  return createFollower({
    disk: logDisk,
    file: paths.logPositions,
    spooled: spool.logs,
    config: settings.current,
    hasRoom: () => spool.sizeBytes < spoolBytes / 4,
    clock,
    log,
    local: hostLocalClock,
    windows: process.platform === 'win32',
  })
}

/** The loops, until `stop` or the end of one; the reason when the host was removed. */
async function runLoops(
  { collection, delivery, watchBackups }: Worker,
  stop: AbortSignal,
): Promise<string | undefined> {
  const halt = new AbortController()
  const end = () => halt.abort()
  stop.addEventListener('abort', end)
  if (stop.aborted) end()
  try {
    const loops = [delivery.run(halt.signal), collection.run(halt.signal), watchBackups(halt.signal)] as const
    for (const loop of loops) loop.then(end, end)
    const [removedReason] = await Promise.all(loops)
    return removedReason
  } finally {
    stop.removeEventListener('abort', end)
  }
}

function statusOf(facts: Omit<Worker, 'watchBackups'> & StatusFacts): AgentStatus {
  const { startedAtMs, hostId, spool, aside, settings, shipper, collection, delivery, ledger, logs } = facts
  const { batches, oldestAtMs } = spool.behind('')
  return {
    version: VERSION,
    startedAtMs,
    hostId,
    route: shipper.route,
    intervalMs: settings.current().intervalMs,
    lastSnapshotAtMs: collection.state.lastSnapshotAtMs,
    lastDeliveredAtMs: delivery.state.lastDeliveredAtMs,
    problem: delivery.state.problem,
    unread: [...collection.state.unread],
    spool: {
      pendingBatches: batches,
      oldestAtMs,
      droppedSnapshots: spool.dropped,
      asideBatches: aside.count,
    },
    logFiles: [...logs.views],
    backups: [...ledger.told],
  }
}

interface StatusFacts {
  readonly startedAtMs: number
  readonly hostId: string
  readonly aside: Aside
  readonly shipper: Shipper
  readonly logs: LogFollower
  readonly ledger: TellingLedger
}

async function readInventoryWithin(clock: Clock): Promise<string> {
  const done = new AbortController()
  const late = clock.sleep(INVENTORY_DEADLINE_MS, done.signal).then(plainInventory)
  const os = await Promise.race([readInventory().catch(plainInventory), late])
  done.abort()
  return os
}
