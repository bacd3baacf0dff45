import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Debian 13 with wine 10 in a folder of its own: Debian 12's wine 8 cannot run Node 24 or newer. */
export const WINE_ROOT = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'onec-relay', 'wine')

/** What the package brings; `usr/bin/wine` is a link that leads nowhere from outside. */
const WINE = 'usr/lib/wine/wine64'

const RELEASE = 'trixie'
const MIRROR = process.env.DEBIAN_MIRROR || 'http://deb.debian.org/debian'
const STEP_WITHIN_MS = 15 * 60_000

/** Runs a program as root and gives its output. Fails with what it printed, or when it takes over 15 minutes. */
function asRoot(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: STEP_WITHIN_MS })
  if (error || status !== 0)
    throw new Error(`${program} ${args.join(' ')} failed: ${error?.message ?? (stderr || stdout).trim().slice(-2_000)}`)
  return stdout
}

/** Whether wine can run there now: installed, and with the system's folders, which a reboot takes away. */
export const isReady = (root = WINE_ROOT): boolean =>
  existsSync(join(root, WINE)) && BORROWED.every(name => mountsBelow(root).includes(join(root, name)))

/**
 * Makes the folder what it has to be; what is there stays, and what was cut short is finished. 0.6 GB from Debian's mirror
 * the first time.
 */
export function setUp(root: string, say: (line: string) => void): void {
  if (process.getuid?.() !== 0) throw new Error('chroot, mount and debootstrap are for root: run this with sudo')
  if (!existsSync(join(root, 'usr/bin/apt-get')) || existsSync(join(root, 'debootstrap'))) {
    if (spawnSync('which', ['debootstrap']).status !== 0)
      throw new Error('debootstrap is not installed. On Debian: apt-get install debootstrap')
    remove(root)
    say(`Debian ${RELEASE} into ${root} …`)
    asRoot('mkdir', '-p', root)
    asRoot('debootstrap', '--variant=minbase', '--include=ca-certificates', RELEASE, root, MIRROR)
  }
  borrow(root)
  if (isInstalled(root)) return
  say('wine …')
  asRoot('cp', '/etc/resolv.conf', join(root, 'etc/resolv.conf'))
  const install =
    'dpkg --configure -a && apt-get update -qq && apt-get install -f -y -qq --no-install-recommends wine wine64'
  asRoot('chroot', root, 'env', 'DEBIAN_FRONTEND=noninteractive', 'sh', '-c', install)
}

/** Unpacked and configured: its files are there before that. */
function isInstalled(root: string): boolean {
  const query = ['dpkg-query', '-W', '-f', `\${db:Status-Abbrev}`, 'wine', 'wine64']
  const { stdout } = spawnSync('chroot', [root, ...query], { encoding: 'utf8', timeout: STEP_WITHIN_MS })
  return stdout.trim() === 'ii ii'
}

const BORROWED = ['proc', 'sys', 'dev']

function borrow(root: string): void {
  const mounted = mountsBelow(root)
  for (const name of BORROWED) {
    const at = join(root, name)
    if (mounted.includes(at)) continue
    if (name === 'proc') asRoot('mount', '-t', 'proc', 'proc', at)
    else asRoot('mount', '--bind', `/${name}`, at)
  }
}

/** Takes the folder away. Never with something of the machine's still mounted in it. */
export function remove(root: string): void {
  if (!existsSync(root)) return
  for (const at of mountsBelow(root).toReversed()) asRoot('umount', at)
  const left = mountsBelow(root)
  if (left.length > 0) throw new Error(`${left.join(', ')} cannot be unmounted; nothing was removed`)
  asRoot('rm', '-rf', '--one-file-system', root)
}

/** Mount points in a folder, outermost first. */
function mountsBelow(root: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map(line => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
    .filter(at => at.startsWith(`${root}/`))
}
