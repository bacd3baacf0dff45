import { callsInFlight } from './windows/library.ts'

/** What Node calls a request that an I/O thread works at: files, and names of hosts. */
const THREAD_REQUEST = /^(FSReq|GetAddrInfo)/

/**
 * Ends this process, also while an I/O thread hangs in a dead file server: `process.exit` waits for those threads, and
 * the executable would stay in use for as long as the system waits for the server. Nothing is left to be written then;
 * the exit code is that of a killed process.
 */
export function endProcess(exitCode: number): void {
  if (isThreadBusy(process.getActiveResourcesInfo(), callsInFlight())) process.kill(process.pid, 'SIGKILL')
  else process.exit(exitCode)
}

/** Node does not list calls of foreign functions among what keeps it busy. */
export function isThreadBusy(resources: readonly string[], foreignCalls: number): boolean {
  return foreignCalls > 0 || resources.some(name => THREAD_REQUEST.test(name))
}

/** The same, once what was printed has been taken. */
export async function endAfterOutput(exitCode: number): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) await new Promise(resolve => stream.write('', resolve))
  // A request counts as long as what its answer set off runs.
  await new Promise(resolve => setImmediate(resolve))
  endProcess(exitCode)
}
