import { MALLOC_ENVIRONMENT } from '../heap.ts'

const STATE_ROOT = '/var/lib/'

const mallocWords = Object.entries(MALLOC_ENVIRONMENT)
  .map(([name, value]) => `${name}=${value}`)
  .join(' ')

export interface UnitOptions {
  /** Program and words. */
  readonly command: readonly string[]
  /** Absolute. */
  readonly stateDirectory: string
}

/**
 * The unit's text. It runs as root, because backups and logs lie wherever 1C put them, and keeps of root's rights only
 * reading: all files (CAP_DAC_READ_SEARCH), and who has one open (CAP_SYS_PTRACE). V8 writes code as it runs, which
 * MemoryDenyWriteExecute would forbid. ReadOnlyPaths stands for ProtectKernelTunables and ProtectControlGroups: in a
 * container both of them uncover the boot id of the machine below, and the lock of the agent names the boot.
 */
export function systemdUnit({ command, stateDirectory }: UnitOptions): string {
  return `[Unit]
Description=onec-agent: snapshots of this 1C server and its backups for the relay
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${command.map(quoteWord).join(' ')}
Restart=on-failure
# A host that was removed, or never enrolled, ends with 0 and stays stopped.
RestartSec=30
TimeoutStopSec=25
# glibc keeps less of what was freed.
Environment=${mallocWords}
UMask=0077
${stateLines(stateDirectory)}
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE
ProtectSystem=strict
ProtectHome=read-only
ReadOnlyPaths=/proc/sys /sys
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
}

/** systemd makes and opens a directory of its own; any other one must be there. */
function stateLines(directory: string): string {
  const name = directory.startsWith(STATE_ROOT) ? directory.slice(STATE_ROOT.length) : ''
  if (/^[A-Za-z0-9_-]+$/.test(name)) return `StateDirectory=${name}\nStateDirectoryMode=0700`
  return `ReadWritePaths=${quote(directory)}`
}

/** systemd.service(5), "Command lines": `$` is doubled beside what every setting asks for. */
const quoteWord = (word: string): string => quote(word.replaceAll('$', '$$$$'))

/** systemd.syntax(7), "Quoting": C escapes in double quotes; `%` is doubled. */
function quote(word: string): string {
  const text = word.replaceAll('%', '%%')
  return /^[\w@%+=:,./$-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`
}
