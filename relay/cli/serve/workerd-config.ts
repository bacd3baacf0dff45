/** What differs from one self-hosted relay to the next. Paths are absolute, but for `bundle`. */
export interface WorkerdSettings {
  /** The relay's bundle, relative to the configuration file. */
  readonly bundle: string
  readonly stateDirectory: string
  /** `host:port`; port 0 lets the system choose. */
  readonly address: string
  /** Bindings with plain text. Never a secret: this becomes a file. */
  readonly texts: Readonly<Record<string, string>>
  /** Bindings whose values workerd takes from its own environment. */
  readonly secrets: readonly string[]
}

/** As in wrangler.toml, and no later than what the workerd in use takes; Node's modules are on by default since 2026-08-04. */
const COMPATIBILITY_DATE = '2026-10-20'

/**
 * The keys under which workerd stores the objects (the names of their directories are made from them).
 * Never change one: the state would be there and nobody would find it.
 */
const OBJECTS = [
  { binding: 'TENANT', className: 'TenantObject', uniqueKey: 'onec-relay-tenant-v1' },
  { binding: 'DIRECTORY', className: 'DirectoryObject', uniqueKey: 'onec-relay-directory-v1' },
] as const

/** The Cap'n Proto text that `workerd serve` reads. */
export function workerdConfig(settings: WorkerdSettings): string {
  const bindings = [
    ...OBJECTS.map(object => `(name = "${object.binding}", durableObjectNamespace = "${object.className}")`),
    ...Object.entries(settings.texts).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
    ...settings.secrets.map(name => `(name = ${text(name)}, fromEnvironment = ${text(name)})`),
  ]
  const namespaces = OBJECTS.map(
    object => `(className = "${object.className}", uniqueKey = "${object.uniqueKey}", enableSql = true)`,
  )
  return `# Written by onec-relay at every start.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "relay", worker = .relay),
    (name = "state", disk = (path = ${text(settings.stateDirectory)}, writable = true)),
    (name = "internet", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = ${text(settings.address)}, http = (), service = "relay")],
);

const relay :Workerd.Worker = (
  modules = [(name = "index.js", esModule = embed ${text(settings.bundle)})],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  bindings = [
    ${bindings.join(',\n    ')},
  ],
  durableObjectNamespaces = [
    ${namespaces.join(',\n    ')},
  ],
  durableObjectStorage = (localDisk = "state"),
);
`
}

/** A Cap'n Proto text literal. Its escapes are C's: backslash, quote, and bytes in hex. */
function text(value: string): string {
  const escaped = value.replace(/[\\"]/g, '\\$&').replace(/[\u0000-\u001f\u007f]/g, escapeControl)
  return `"${escaped}"`
}

function escapeControl(control: string): string {
  return `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`
}
