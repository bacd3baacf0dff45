/**
 * Ends this process, also while an I/O thread hangs in a dead file server: `process.exit` waits for those threads, and
 * the executable would stay in use for as long as the system waits for the server. Nothing is left to be written then.
 */
export function endProcess(exitCode: number): void {
  const isHanging = process.getActiveResourcesInfo().some(name => name.startsWith('FSReq'))
  if (isHanging) process.kill(process.pid, 'SIGKILL')
  else process.exit(exitCode)
}
