import type { HostConfig } from '../../shared/host-config.ts'
import type { Outcome } from '../../shared/outcome.ts'
import type { ProblemCode } from '../../shared/problem.ts'
import type { Ack, BackupReport, ConfigReply, Entry, Snapshot, WireBatch } from '../../shared/wire.ts'
import type { Result } from '../result.ts'
import type { Clone } from './clones.ts'
import type { Counters } from './counters.ts'

/** Worker and object may be of different releases for minutes after a deploy: a header says which it speaks. */
export const RPC_VERSION = 1

/** A host as its token names it; `secretHash` is the SHA-256 (hex) of the token's secret. */
export interface HostCredential {
  readonly hostId: string
  readonly secretHash: string
}

/** All that the object must know of a batch without opening its body. */
export interface IngestHeader extends HostCredential {
  readonly rpc: typeof RPC_VERSION
  readonly id: string
  readonly seq: number
  readonly sentAtMs: number
  /** Whether `body` is gzip or plain JSON. */
  readonly gzip: boolean
  readonly snapshots: number
  readonly samples: number
  /** Of its snapshots, by the host's clock; the oldest is absent from an older Worker. */
  readonly oldestAtMs?: number | null
  readonly newestAtMs: number | null
  readonly agent: WireBatch['agent']
  readonly spool: WireBatch['spool']
  readonly backups: readonly BackupReport[]
}

export type HostState = 'pending' | 'up' | 'late' | 'down' | 'disabled'

export interface HostView {
  readonly id: string
  readonly name: string
  readonly hostname: string
  readonly state: HostState
  readonly stateSinceMs: number
  readonly enrolledAtMs: number
  /** Time of the last accepted post; null before the first. */
  readonly lastSeenMs: number | null
  /** When its next post was granted; null before the first. */
  readonly dueAtMs: number | null
  /** Host clock minus relay clock at the last post. */
  readonly clockSkewMs: number | null
  /** What its times are corrected by since three posts agreed that its clock is wrong; null: they are not. */
  readonly clockOffsetMs: number | null
  /** Copies of the machine that are kept out: enrol each under another name. */
  readonly clones: readonly Clone[]
  readonly agent: WireBatch['agent'] | null
  readonly spool: WireBatch['spool'] | null
  readonly configRevision: number
}

export interface BackupView {
  readonly name: string
  readonly state: BackupReport['state']
  readonly source: BackupReport['source']
  readonly reason: string | null
  /** 1 good, 0 failed; null before the first completed run. */
  readonly status: 0 | 1 | null
  readonly completedAtMs: number | null
  readonly sizeBytes: number | null
  readonly durationMs: number | null
  readonly dueAtMs: number | null
  readonly runs: Readonly<Record<string, number>>
}

/** Samples of a host's snapshots that a destination did not get: too old for it, or not newer than what it has. */
export interface LeftOutView {
  readonly destination: string
  readonly ageSamples: number
  readonly orderSamples: number
}

export interface HostDetail extends HostView {
  readonly config: HostConfig
  readonly leftOut: readonly LeftOutView[]
  readonly backups: readonly BackupView[]
}

/** What a destination may hold back, undelivered; its oldest go first. */
export interface Budget {
  readonly ageMs: number
  /** Of outbox rows, as they lie on disk. */
  readonly bytes: number
}

/** What a budget can be set to: less would drop what is only on its way, more is not looked through any more. */
export const BUDGET_BOUNDS = {
  ageMs: { min: 60_000, max: 7 * 86_400_000 },
  bytes: { min: 64 * 1024, max: 1024 ** 3 },
} as const

/** Null goes back to the default, what is absent stays. */
export type BudgetEdit = { readonly [Bound in keyof Budget]?: Budget[Bound] | null }

export interface DestinationInput {
  readonly name: string
  readonly sink: string
  /** As the sink's schema has them, secrets included. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Where it is not to be the default: 24 h, 2 MB a host and at least 64 MB. */
  readonly budget?: Partial<Budget>
}

/** A settings field that is null is removed; one that is absent stays, secrets too. */
export interface DestinationEdit {
  readonly name?: string
  readonly settings?: Readonly<Record<string, unknown>>
  readonly budget?: BudgetEdit
}

export interface DestinationView {
  readonly id: string
  readonly name: string
  readonly sink: string
  /** Without the secret ones. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Names of the secret settings that are set. */
  readonly secrets: readonly string[]
  /** As it counts now, defaults included. */
  readonly budget: Budget
  readonly version: number
  readonly state: 'active' | 'backing-off' | 'suspended'
  /** Why it is not active, the server's own words included (redacted). */
  readonly reason: string | null
  readonly sinceMs: number | null
  readonly nextAttemptAtMs: number | null
  readonly backlogBatches: number
  readonly backlogBytes: number
  /** When the oldest undelivered batch was accepted. */
  readonly oldestAtMs: number | null
  readonly deliveredBatches: number
  readonly deliveredSamples: number
  readonly unconfirmedBatches: number
  /** Requests of which it took only a part. */
  readonly partialRequests: number
  /** All that is lost to it: samples, for Loki log entries. */
  readonly droppedSamples: number
  /** The same by reason: over its budget, too old for it, not newer than what it has of the host. */
  readonly dropped: { readonly budget: number; readonly age: number; readonly order: number }
  /** Ever written. */
  readonly deadLetters: number
  /** Of these, how many went because there were too many. */
  readonly deadLettersDropped: number
  readonly lastDeliveredAtMs: number | null
}

export interface EventView {
  readonly atMs: number
  readonly kind: string
  readonly subject: string
  readonly message: string
}

export interface DeadLetterView {
  readonly id: number
  readonly atMs: number
  readonly destination: string
  /** Null in a letter of a release that did not store it; so for the host. */
  readonly destinationId: string | null
  readonly host: string
  readonly hostId: string | null
  readonly fromMs: number | null
  readonly toMs: number | null
  readonly samples: number
  /** The server's own words, redacted. */
  readonly reason: string
}

/** Destination and host by id or by name; both absent: all letters. */
export interface DeadLetterFilter {
  readonly destination?: string
  readonly host?: string
}

/** Which letters an operator means: those that everything given fits, none when nothing is; `all` stands alone. */
export interface DeadLetterSelection extends DeadLetterFilter {
  readonly ids?: readonly number[]
  readonly all?: true
}

/** What a sink would encode of one host, as it was kept. */
export interface DeadLetterBatch {
  readonly host: string
  readonly hostId: string
  /** `agent`: what the host sent. `relay`: what the relay said of it, or of itself. */
  readonly source: 'agent' | 'relay'
  /** A host's removal, and how many series that ends. */
  readonly removed: boolean
  readonly ended: number
  readonly snapshots: readonly Pick<Snapshot, 'atMs' | 'metrics' | 'series'>[]
  readonly entries: readonly Entry[]
}

export interface DeadLetterDetail extends DeadLetterView {
  readonly batches: readonly DeadLetterBatch[]
  /** What was left out of `batches`, the last ones, so that the answer stays small. */
  readonly cut: { readonly snapshots: number; readonly samples: number; readonly entries: number }
}

/** Letters that were meant and stayed as they were, by the reason. */
export interface DeadLettersLeft {
  readonly code: ProblemCode
  readonly detail: string
  readonly letters: number
}

export interface DeadLettersReplayed {
  readonly replayed: number
  readonly samples: number
  readonly left: readonly DeadLettersLeft[]
}

export interface DeadLettersDropped {
  readonly dropped: number
  readonly samples: number
  readonly left: readonly DeadLettersLeft[]
}

export interface HostCounts {
  readonly total: number
  readonly byState: Readonly<Record<HostState, number>>
}

/** A series of the relay's own, as sinks have it. */
export interface MetricSeries {
  readonly name: string
  readonly labels: readonly (readonly [name: string, value: string])[]
  readonly value: number
}

/** One tenant's object. Hosts and destinations are named by id or by name. */
export interface TenantRpc {
  /** Gives the object its identity; repeating it is harmless. */
  init(tenant: { id: string; name: string }): Promise<void>
  ingest(header: IngestHeader, body: Uint8Array): Promise<Result<Ack>>
  hostConfig(host: HostCredential): Promise<Result<ConfigReply>>

  /**
   * A new host, or the known one of this `machineId` and `hostname` with a further token. While a copy of it is known,
   * another name makes a new host, and its own name voids the tokens before.
   */
  enrol(input: {
    machineId: string
    hostname: string
    name: string
    os: string
    secretHash: string
  }): Promise<Result<{ hostId: string; config: ConfigReply }>>
  counts(): Promise<HostCounts>
  /** What the object counted of itself since it was made. */
  counters(): Promise<Counters>
  /** What the next tick would say, and how many hosts are in which state. */
  metrics(): Promise<readonly MetricSeries[]>
  hosts(): Promise<readonly HostView[]>
  host(host: string): Promise<Result<HostDetail>>
  removeHost(host: string): Promise<Result<{ id: string; name: string }>>
  setHostConfig(host: string, config: HostConfig): Promise<Result<ConfigReply>>

  destinations(): Promise<readonly DestinationView[]>
  addDestination(input: DestinationInput): Promise<Result<DestinationView>>
  editDestination(destination: string, edit: DestinationEdit): Promise<Result<DestinationView>>
  removeDestination(destination: string): Promise<Result<{ id: string; name: string }>>
  /** Sends the relay's own samples now; a `delivered` also resumes a suspended destination. */
  testDestination(destination: string): Promise<Result<{ outcome: Outcome; tookMs: number }>>
  suspendDestination(destination: string): Promise<Result<DestinationView>>
  resumeDestination(destination: string): Promise<Result<DestinationView>>

  events(limit: number): Promise<readonly EventView[]>
  deadLetters(limit: number, filter?: DeadLetterFilter): Promise<readonly DeadLetterView[]>
  deadLetter(id: number): Promise<Result<DeadLetterDetail>>
  /** Puts them into the queue of their destinations again. Refused when every one that was meant has to stay. */
  replayDeadLetters(selection: DeadLetterSelection): Promise<Result<DeadLettersReplayed>>
  dropDeadLetters(selection: DeadLetterSelection): Promise<Result<DeadLettersDropped>>
}
