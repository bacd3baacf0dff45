export interface UserErrorOptions {
  /** What to do next: a command to type, a file to look at. */
  readonly next?: string
  readonly exitCode?: number
}

/** Something that whoever typed the command can put right: shown without a stack trace, exit code 2. */
export class UserError extends Error {
  readonly next: string | undefined
  readonly exitCode: number

  constructor(message: string, { next, exitCode = 2 }: UserErrorOptions = {}) {
    super(message)
    this.name = 'UserError'
    this.next = next
    this.exitCode = exitCode
  }
}

/** `error.code` of a failed system call, if it is one. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : undefined
}
