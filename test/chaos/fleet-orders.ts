/** Where one simulated host sits. */
export interface HostSeat {
  readonly name: string
  /** Sets its values apart from every other host's. */
  readonly number: number
  /** State directory of an enrolled agent. */
  readonly state: string
  /** File that gets a line for each snapshot made. */
  readonly ledger: string
  /** Milliseconds between snapshots. */
  readonly everyMs: number
}

export type FleetOrder =
  | { readonly kind: 'report'; readonly host?: undefined }
  /** Make no more snapshots; what is spooled is still shipped. */
  | { readonly kind: 'quiet'; readonly host?: undefined }
  | { readonly kind: 'full-disk'; readonly host: string; readonly isFull: boolean }
  | { readonly kind: 'copy-state'; readonly host: string; readonly to: string }

export interface FleetReport {
  readonly hosts: readonly {
    readonly name: string
    readonly waiting: number
    /** Snapshots that its spool counted as dropped. */
    readonly dropped: number
    readonly aside: number
    readonly problem: string | null
  }[]
}
