import { release, type, version } from 'node:os'
import { readSystemVersion, systemName } from '../windows/system-name.ts'

/** Longest text that a batch carries. */
const MAX_CHARS = 128

/**
 * The system in words ("Debian GNU/Linux 12 (bookworm) x64", "Windows Server 2022 Standard 21H2 (20348.2113) x64").
 * systeminformation asks other programs for it, so it is loaded only here, once at start, and never on Windows, where
 * that is PowerShell; whoever calls sets a deadline.
 */
export async function readInventory(): Promise<string> {
  if (process.platform === 'win32') return nameWindows()
  const { osInfo } = await import('systeminformation/lib/osinfo.js')
  const { distro, release: osRelease, codename, arch } = await osInfo()
  const words = [distro, osRelease, codename && `(${codename})`, arch].filter(Boolean).join(' ')
  return words ? words.slice(0, MAX_CHARS) : plainInventory()
}

function nameWindows(): string {
  return systemName(readSystemVersion(), process.arch)?.slice(0, MAX_CHARS) ?? plainInventory()
}

/** What Node itself knows of the system. */
export function plainInventory(): string {
  return `${type()} ${release()} ${version()}`.slice(0, MAX_CHARS)
}
