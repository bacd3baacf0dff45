import type { Arrival } from './arrivals.ts'
import type { HeldOfHost, HostNames } from './held.ts'

/** What do you hold of these? */
export interface SinkOrder {
  readonly hosts: readonly HostNames[]
}

export interface SinkReport {
  readonly held: readonly HeldOfHost[]
  /** Snapshots that came for the first time when a newer one of their host was there already. */
  readonly reordered: readonly Arrival[]
  readonly defects: readonly string[]
  /** A Pushgateway's `GET /metrics`. */
  readonly page: string
}
