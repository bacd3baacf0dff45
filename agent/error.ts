/** What a person can put right: shown as one message without a stack trace, exit code 2. */
export class UserError extends Error {
  override name = 'UserError'
}

/** The relay's final no to an enrolment code: trying again is of no use. */
export class EnrolmentRefusedError extends UserError {
  override name = 'EnrolmentRefusedError'
}

/** The `code` of a failed system call ("ENOSPC"), absent for any other value. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : undefined
}

/** One line that says what went wrong, the innermost cause included: `fetch` hides the reason there. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  const inner = cause instanceof Error ? (systemCode(cause) ?? cause.message) : undefined
  return (inner && !error.message.includes(inner) ? `${error.message} (${inner})` : error.message).slice(0, 300)
}
