import type * as z from 'zod'
import type { Outcome } from '../../shared/outcome.ts'
import type { Entry, Series, Snapshot } from '../../shared/wire.ts'

/** Who a batch speaks of. `name` may be in any script; `id` is ASCII. */
export interface Host {
  readonly id: string
  readonly name: string
  /** The operator's static labels. */
  readonly labels: Readonly<Record<string, string>>
}

export interface Tenant {
  readonly id: string
  readonly name: string
}

/** What a sink encodes: one host's snapshots and log entries, with the identity that the relay vouches for. */
export interface Batch {
  readonly tenant: Tenant
  readonly host: Host
  /** `agent`: what the host sent. `relay`: what the relay says of the host, or of itself. */
  readonly source: 'agent' | 'relay'
  /** Instead of the destination's job label: the relay's own series have `onec_relay`. */
  readonly job?: string
  readonly snapshots: readonly Snapshot[]
  readonly entries: readonly Entry[]
  /** The host was removed: a sink that keeps state per host forgets it. */
  readonly removed?: true
  /** The series that a removed host had, and when they ended: a sink that can mark the end of a series does. */
  readonly ended?: { readonly atMs: number; readonly series: readonly SeriesName[] }
  /** An operator sends a dead letter again: the destination itself decides whether it takes it now. */
  readonly replayed?: true
}

/** A series of a host, by its name and its labels beyond the identity. */
export type SeriesName = Omit<Series, 'value'>

/** One HTTP request, complete. Only headers may carry a secret. */
export interface OutboundRequest {
  readonly method: 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string | null
  /** Samples (for Loki: entries) that it carries. */
  readonly samples: number
}

/** What came back: `body` is the first 4 KB as text. */
export interface Reply {
  readonly status: number
  readonly body: string
}

/**
 * A kind of backend. All four are "send bytes, read a status": a sink does no I/O, timing, retry or logging, and
 * adding one is one file, a line in `sinks/index.ts` and a row in the contract suite.
 */
export interface SinkDefinition<S extends z.ZodObject = z.ZodObject> {
  readonly kind: string
  /** For people, in log lines: "Sent 41 metrics to Prometheus". */
  readonly title: string
  /** What people call what it takes. */
  readonly carries: 'metrics' | 'log entries'
  /** Stored settings, secrets included; parsed once, when a destination is opened. Unknown keys are refused. */
  readonly settings: S
  /** Fields of `settings` that are stored encrypted and never shown. */
  readonly secretFields: readonly (keyof z.output<S> & string)[]
  /**
   * `all`: every snapshot in order, many hosts to a request. `newest`: one request a host, only with its newest
   * snapshot (and the newest of what the relay says of it).
   */
  readonly takes: 'all' | 'newest'
  /** The store refuses a whole request for one sample that is older than its series' newest: such are left out. */
  readonly strictOrder?: true
  /**
   * Pure. How far behind the newest sample (entry) that it has taken, ms, the store takes another; older ones are left
   * out before they void a request. Absent: any age.
   */
  windowMs?(settings: z.output<S>): number
  /** Pure. The one request that carries these batches; absent when nothing in them concerns this sink. */
  encode(batches: readonly Batch[], settings: z.output<S>): OutboundRequest | undefined
  /** Pure. Only where this API's status codes or words mislead; absent: `classifyStatus` decides. */
  classify?(reply: Reply): Outcome | undefined
}

/** Most samples in one request: Prometheus' own `max_samples_per_send`. Whoever calls `encode` keeps to it. */
export const MAX_SAMPLES_PER_REQUEST = 2_000
