/** The service of this system's own manager: Windows' or systemd. All fail with a UserError that says what to do. */
export interface Service {
  /** Fails where this user may not make one: to be asked before what cannot be taken back. */
  checkRights(): void
  /** Makes it, or brings it to this release; it begins with the machine. Does not start it. Answers what was done. */
  install(): Promise<string>
  /** Starts it, and resolves when the manager says that it runs. */
  start(): Promise<void>
  /** Stops it and waits for its end; false where there is none or it did not run. */
  stop(): Promise<boolean>
  /** Stops and removes it. Answers what was done. */
  uninstall(): Promise<string>
  /** One line for a person. */
  describe(): Promise<string>
}
