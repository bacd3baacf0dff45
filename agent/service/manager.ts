import { UserError } from '../error.ts'
import type { ServiceFacts } from './recovery.ts'

export const SERVICE_NAME = 'onec-agent'

export interface ServiceSpec {
  readonly name: string
  readonly displayName: string
  readonly description: string
  /** Command line: the program in quotes, then its words. */
  readonly imagePath: string
}

/** A service that was removed is there until it has ended and its last handle is closed. */
export class BeingDeletedError extends UserError {
  override name = 'BeingDeletedError'
  constructor() {
    super('The service is being deleted: close services.msc and whatever else shows it, then try again.')
  }
}

/** For up to a minute after a boot, while the services that begin with the machine do, Windows may start no other. */
export class DatabaseLockedError extends UserError {
  override name = 'DatabaseLockedError'
  constructor() {
    super('Windows is still starting its own services (error 1055). Try again in a few minutes.')
  }
}

/** Windows' service control manager, as an installer sees it. All fail with a UserError where rights are missing. */
export interface ServiceManager {
  /** Whether this user may make a service. */
  checkRights(): void
  /** Absent: not installed. */
  query(name: string): ServiceFacts | undefined
  /**
   * Makes the service, or brings the one that is there to `spec`: starts by itself, restarts after a
   * failure. Fails with a BeingDeletedError while the one before is not gone, with a DatabaseLockedError after a boot.
   */
  put(spec: ServiceSpec): void
  /** Fails with a UserError that has Windows' reason, with a DatabaseLockedError after a boot. */
  start(name: string): void
  /** Asks it to; does not wait. Nothing happens to one that stops already. */
  stop(name: string): void
  /** Gone once it has stopped and nobody looks at it any more. */
  remove(name: string): void
}
