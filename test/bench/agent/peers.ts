/** A program that watches a machine too, and is asked from outside. */
export interface Peer {
  /** Where its executable is; fails with the package to install. */
  file(): string
  start(): Promise<RunningPeer>
}

export interface RunningPeer {
  readonly pid: number
  /** Asks it for everything once; fails when it does not answer all of it. */
  round(): Promise<void>
  stop(): Promise<void>
}
