import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Running, run, until } from '../support/process.ts'
import { isReady, WINE_ROOT } from './chroot.ts'

/** Twice in a boot; what waits for one waits 180 s. */
const BOOT_WITHIN_MS = 80_000

/** A Windows of its own: an empty C: drive and registry, with the built files on its desk. */
export interface Windows {
  /** Folder of the built files and of whatever a test puts there, as Linux and as Windows name it. */
  readonly desk: { readonly linux: string; readonly windows: string }
  /** `C:` as Linux names it. */
  readonly drive: string
  /** Starts a program; `env` is what it finds in its environment. */
  start(program: string, args: readonly string[], env?: Readonly<Record<string, string>>): Running
  /** Runs it to its end and gives its output; fails unless it ends with 0. */
  do(program: string, ...args: readonly string[]): Promise<string>
  /** From now on it says that it is this release: `win81` is Server 2012 R2, `win10` what it is from the start. */
  pretend(release: 'win81' | 'win10'): Promise<void>
  /** The agent that lies on the desk. */
  readonly agent: string
  /** Linux's ids of the processes of this Windows whose command line matches. */
  processes(commandLine: RegExp): number[]
  remove(): Promise<void>
}

/** Boots it. `files` are copied onto its desk; `environment` is what services find in theirs. */
export async function bootWindows(
  files: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Windows> {
  if (!isReady()) throw new Error('There is no wine here yet: node test/wine/setup.ts')
  const home = mkdtempSync(join(WINE_ROOT, 'tmp', 'onec-wine-'))
  const inside = home.slice(WINE_ROOT.length)
  const [prefix, desk] = ['prefix', 'desk'].map(name => join(inside, name)) as [string, string]
  mkdirSync(join(home, 'desk'))
  for (const file of files) cpSync(file, join(home, 'desk', file.split('/').at(-1) ?? ''))

  const unix = (command: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const variables = { ...env, ...ENVIRONMENT, HOME: inside, WINEPREFIX: prefix }
    const set = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
    return run('chroot', [WINE_ROOT, 'env', '-i', '-C', desk, ...set, ...FILED, ...command])
  }
  const windows: Windows = {
    desk: { linux: join(home, 'desk'), windows: `Z:${desk.replaceAll('/', '\\')}` },
    drive: join(home, 'prefix', 'drive_c'),
    agent: `Z:${desk.replaceAll('/', '\\')}\\onec-agent.exe`,
    start: (program, args, env) => unix(['wine', program, ...args], env),
    async do(program, ...args) {
      const running = windows.start(program, args)
      const code = await running.ended
      if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${running.output()}`)
      return running.output()
    },
    async pretend(release) {
      await windows.do('winecfg', '/v', release)
    },
    processes: commandLine =>
      processesIn(WINE_ROOT).filter(pid => inPrefix(pid, prefix) && commandLine.test(wordsOf(pid))),
    async remove() {
      await unix(['wineserver', '-k']).ended
      await until(() => windows.processes(/./).length === 0, 10_000)
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  try {
    await boot(windows, unix, environment)
  } catch (error) {
    await windows.remove()
    throw error
  }
  return windows
}

type Unix = (command: readonly string[]) => Running

async function boot(windows: Windows, unix: Unix, environment: Readonly<Record<string, string>>): Promise<void> {
  const boot = unix(['wineboot', '-i'])
  const booted = await Promise.race([boot.ended, until(() => false, BOOT_WITHIN_MS)])
  if (booted !== 0) throw new Error(`Windows did not boot (${booted}):\n${boot.output()}`)
  for (const [name, value] of Object.entries(environment))
    await windows.do('reg', 'add', ENVIRONMENT_KEY, '/v', name, '/d', value, '/f')
  // Its service manager reads the environment when it begins.
  await unix(['wineserver', '-k']).ended
  // It also ends, with all services, when nobody is there any more: somebody waits for input that never comes.
  unix(['sh', '-c', 'mkfifo never && exec wine cmd <>never'])
  if (!(await until(() => startsServices(windows), BOOT_WITHIN_MS, 1_000)))
    throw new Error('The service manager stays locked')
}

const ENVIRONMENT_KEY = 'HKLM\\System\\CurrentControlSet\\Control\\Session Manager\\Environment'

/** While its own services begin, which takes wine up to a minute, the service manager starts no other. */
async function startsServices(windows: Windows): Promise<boolean> {
  const starting = windows.start('net', ['start', 'msiserver'])
  await starting.ended
  return !/locked/.test(starting.output())
}

/** `LANG`: command lines are UTF-8, Cyrillic included. Wine's own messages are of no interest. */
const ENVIRONMENT = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  WINEDEBUG: '-all',
  XDG_RUNTIME_DIR: '/tmp',
}

/** Node for Windows cannot write to wine's pipes (EBADF): to a file, which is shown when the program has ended. */
const FILED = [
  'sh',
  '-c',
  'out=$(mktemp -p "$HOME"); "$@" >"$out" 2>&1; code=$?; cat "$out"; rm "$out"; exit $code',
  'sh',
]

function processesIn(root: string): number[] {
  return readdirSync('/proc').flatMap(name => {
    const pid = Number(name)
    return Number.isInteger(pid) && attempt(() => readlinkSync(`/proc/${pid}/root`)) === root ? [pid] : []
  })
}

const wordsOf = (pid: number) => attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')) ?? ''
const inPrefix = (pid: number, prefix: string) =>
  attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8'))?.includes(`WINEPREFIX=${prefix}\0`) === true

/** A process may end while one looks at it. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
