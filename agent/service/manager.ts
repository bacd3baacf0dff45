import type { ServiceFacts } from './recovery.ts'

export const SERVICE_NAME = 'onec-agent'

export interface ServiceSpec {
  readonly name: string
  readonly displayName: string
  readonly description: string
  /** Command line: the program in quotes, then its words. */
  readonly imagePath: string
}

/** Windows' service control manager, as an installer sees it. All fail with a UserError where rights are missing. */
export interface ServiceManager {
  /** Absent: not installed. */
  query(name: string): ServiceFacts | undefined
  /** Makes the service, or brings the one that is there to `spec`: starts by itself, restarts after a failure. */
  put(spec: ServiceSpec): void
  start(name: string): void
  /** Asks it to; does not wait. */
  stop(name: string): void
  /** Gone once it has stopped and nobody looks at it any more. */
  remove(name: string): void
}
