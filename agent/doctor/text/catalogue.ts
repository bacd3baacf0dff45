import type { BackupReport } from '../../../shared/wire.ts'
import type { Language } from '../../language.ts'
import type { LogProblem } from '../../logs/problem.ts'
import type { NetworkCause } from '../../network/cause.ts'
import type { STRANGER_REASONS } from '../../verdict.ts'
import type { FindingCode, Severity } from '../finding.ts'
import { en } from './en.ts'
import { ru } from './ru.ts'

/** What one finding says; `{name}` is filled from its params, a line break in `todo` stays one. */
export interface FindingText {
  /** What happened. */
  readonly what: string
  readonly why?: string
  /** What to do next. */
  readonly todo?: string
}

/** The first word of a code. */
export type Area = FindingCode extends infer Code ? (Code extends `${infer First}.${string}` ? First : never) : never

export interface Words {
  readonly severity: Readonly<Record<Severity, string>>
  readonly why: string
  readonly todo: string
  /** The verdict; `{errors}` and `{warnings}` are counts. */
  readonly allRight: string
  readonly allRightWarned: string
  readonly wrong: string
  /** Heading of what is in order. */
  readonly checked: string
  readonly areas: Readonly<Record<Area, string>>
  /** Why the relay was not reached, as the agent's log has it. */
  readonly causes: Readonly<Record<NetworkCause | keyof typeof STRANGER_REASONS, string>>
  /** Reasons of backups, and of the relay, by the code that they begin with. */
  readonly reasons: Readonly<Record<string, string>>
  /** Why a log file is not followed, by its code. */
  readonly logProblems: Readonly<Record<LogProblem['code'], string>>
  /** Why the relay refuses an enrolment code, by the code of its problem. */
  readonly refusals: Readonly<Record<string, string>>
  readonly status: StatusWords
  readonly units: {
    readonly ms: string
    readonly s: string
    readonly min: string
    readonly h: string
    readonly d: string
    readonly bytes: readonly string[]
  }
  /** Between the whole and the decimals of a number. */
  readonly decimal: string
}

/** Lines of `status`. */
export interface StatusWords {
  readonly wrong: string
  readonly next: string
  readonly agent: string
  readonly service: string
  readonly serviceRuns: string
  readonly host: string
  readonly relay: string
  readonly snapshot: string
  readonly delivery: string
  readonly problem: string
  readonly spool: string
  readonly metrics: string
  readonly backups: string
  readonly logFiles: string
  readonly state: string
  readonly running: string
  readonly unheard: string
  readonly stopped: string
  readonly notEnrolled: string
  readonly removed: string
  readonly ago: string
  readonly agoEvery: string
  readonly never: string
  readonly through: string
  readonly queue: string
  readonly allRead: string
  readonly unread: string
  readonly none: string
  readonly more: string
  readonly due: string
  readonly followed: string
  readonly states: Readonly<Record<BackupReport['state'], string>>
}

/** All that a person reads of `doctor` and `status`, in one language. */
export interface Catalogue {
  readonly findings: Readonly<Record<FindingCode, FindingText>>
  readonly words: Words
}

export const CATALOGUES: Readonly<Record<Language, Catalogue>> = { en, ru }
