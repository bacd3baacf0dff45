/** What Windows does after each failure in turn; the last one repeats. Times in milliseconds. */
export const RESTART_AFTER_MS: readonly number[] = [5_000, 30_000, 60_000]

/** A day without a failure, and the first is the first again. */
const RESET_AFTER_S = 86_400

/** Stop deadline, and room for the manager's own part. Windows' default is 3 minutes, which a reboot would wait for. */
export const PRESHUTDOWN_MS = 30_000

const SC_ACTION_RESTART = 1

/** An array of SC_ACTION: a kind and a delay, 32 bits each. */
export function encodeRestarts(afterMs: readonly number[]): Buffer {
  return Buffer.from(Uint32Array.from(afterMs.flatMap(each => [SC_ACTION_RESTART, each])).buffer)
}

/**
 * SERVICE_FAILURE_ACTIONSW on 64 bits: seconds to reset at 0, message and command (none) at 8 and 16, the number of
 * actions at 24. Their address, at 32, is known to the caller.
 */
export function encodeFailureActions(count: number): Buffer {
  const bytes = Buffer.alloc(40)
  bytes.writeUInt32LE(RESET_AFTER_S, 0)
  bytes.writeUInt32LE(count, 24)
  return bytes
}

/** What SERVICE_STATUS_PROCESS (36 bytes) says of a service. */
export interface ServiceFacts {
  /** A number of winsvc.h: 1 stopped, 4 running. */
  readonly state: number
  /** 0, a Windows error, or with 1066 the service's own code. */
  readonly exitCode: number
  readonly pid: number
}

const ERROR_SERVICE_SPECIFIC_ERROR = 1066
const ERROR_SERVICE_NEVER_STARTED = 1077

export function decodeFacts(bytes: Buffer): ServiceFacts {
  return { state: bytes.readUInt32LE(4), exitCode: exitCodeOf(bytes), pid: bytes.readUInt32LE(28) }
}

function exitCodeOf(bytes: Buffer): number {
  const code = bytes.readUInt32LE(12)
  if (code === ERROR_SERVICE_SPECIFIC_ERROR) return bytes.readUInt32LE(16)
  return code === ERROR_SERVICE_NEVER_STARTED ? 0 : code
}

/** Words of a command line, as CommandLineToArgvW takes them apart again: backslashes count only before a quote. */
export function quoteCommand(words: readonly string[]): string {
  return words
    .map(word =>
      /[\s"]/.test(word) || word === ''
        ? `"${word.replace(/(\\*)("|$)/g, (_, slashes: string, end: string) => slashes + slashes + (end && '\\"'))}"`
        : word,
    )
    .join(' ')
}

/** The program of a service is quoted always: `C:\Program Files\…` unquoted may run `C:\Program.exe`. */
export const imagePath = (program: string, words: readonly string[]): string =>
  [`"${program}"`, quoteCommand(words)].filter(Boolean).join(' ')
