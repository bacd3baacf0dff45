import { Option } from 'commander'
import type * as z from 'zod'
import { SINK_KINDS, SINKS, sinkOf } from '../sinks/index.ts'
import type { SinkDefinition } from '../sinks/sink.ts'
import { bareValue } from './secret-source.ts'
import { UserError } from './user-error.ts'

/** A sink's settings as command-line options: `bearerToken` → `--bearer-token`. Read from the sinks' own schemas. */
export interface SettingOption {
  readonly key: string
  readonly flag: string
  readonly secret: boolean
  readonly type: 'text' | 'boolean' | 'json'
  /** Kinds of the sinks that have it. */
  readonly sinks: readonly string[]
}

export type Settings = Record<string, unknown>

/** What `destination add` and `edit` were given, as commander has it. */
export interface SettingFlags {
  readonly set?: readonly string[]
  readonly secret?: readonly string[]
  readonly unset?: readonly string[]
  readonly [option: string]: unknown
}

/** Fails on a kind that this release does not know. */
export function knownSink(kind: string): SinkDefinition {
  const sink = sinkOf(kind)
  if (sink) return sink
  throw new UserError(`There is no sink "${kind}".`, { next: `The sinks are ${SINK_KINDS.join(', ')}.` })
}

/** Every setting of every sink, once. */
export function settingOptions(sinks: readonly SinkDefinition[] = Object.values(SINKS)): SettingOption[] {
  const keys = [...new Set(sinks.flatMap(sink => Object.keys(sink.settings.shape)))]
  return keys.map(key => {
    const owners = sinks.filter(sink => Object.hasOwn(sink.settings.shape, key))
    return {
      key,
      flag: `--${key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`,
      secret: owners.some(sink => sink.secretFields.includes(key)),
      type: typeOf(owners[0]?.settings.shape[key]),
      sinks: owners.map(sink => sink.kind),
    }
  })
}

export function commanderOption(option: SettingOption): Option {
  const value = option.type === 'boolean' ? '' : option.secret ? ' <file:PATH|->' : ' <value>'
  const form = option.secret && option.type === 'json' ? ', JSON' : ''
  return new Option(
    `${option.flag}${value}`,
    `${option.secret ? 'secret' : 'setting'}${form} (${option.sinks.join(', ')})`,
  )
}

/**
 * The settings that the flags name, for this sink. `null` for what `--unset` takes away. Fails on a secret given as a
 * bare value, on a setting that the sink does not have, and on one given twice.
 */
export async function readSettings(
  sink: SinkDefinition,
  flags: SettingFlags,
  readSecret: (option: string, source: string) => Promise<string>,
): Promise<Settings> {
  const settings: Settings = {}
  const take = (option: string, key: string, value: unknown) => {
    checkKey(sink, key)
    if (Object.hasOwn(settings, key)) throw new UserError(`${option}: "${key}" is given twice.`)
    settings[key] = value
  }
  for (const { key, flag, secret, type } of settingOptions()) {
    const given = flags[key]
    if (given === undefined) continue
    checkKey(sink, key)
    if (typeof given === 'boolean') take(flag, key, given)
    else take(flag, key, decode(flag, type, secret ? await readSecret(flag, String(given)) : String(given)))
  }
  for (const pair of flags.set ?? []) {
    const [key, text] = splitPair('--set', pair)
    if (sink.secretFields.includes(key)) throw bareValue(`--secret ${key}`)
    take('--set', key, decode(`--set ${key}`, typeOf(sink.settings.shape[key]), text))
  }
  for (const pair of flags.secret ?? []) {
    const [key, source] = splitPair('--secret', pair)
    const text = await readSecret(`--secret ${key}`, source)
    take('--secret', key, decode(`--secret ${key}`, typeOf(sink.settings.shape[key]), text))
  }
  for (const key of flags.unset ?? []) take('--unset', key, null)
  return settings
}

function checkKey(sink: SinkDefinition, key: string): void {
  if (Object.hasOwn(sink.settings.shape, key)) return
  throw new UserError(`The sink ${sink.kind} has no setting "${key}".`, {
    next: `It has ${Object.keys(sink.settings.shape).join(', ')}.`,
  })
}

function splitPair(option: string, pair: string): [string, string] {
  const at = pair.indexOf('=')
  // What stands there instead may be a secret in the wrong place: it is not repeated.
  if (at < 1)
    throw new UserError(`${option} takes key=value.`, {
      next: `For example ${option === '--set' ? '--set job=backups' : '--secret password=file:PATH'}`,
    })
  return [pair.slice(0, at), pair.slice(at + 1)]
}

function decode(option: string, type: SettingOption['type'], text: string): unknown {
  if (type === 'text') return text
  if (type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true'
  try {
    if (type === 'json') return JSON.parse(text)
  } catch {
    // The parser's message quotes its input, which may be a secret.
  }
  throw new UserError(`${option} takes ${type === 'boolean' ? 'true or false' : 'JSON'}.`)
}

function typeOf(schema: z.core.$ZodType | undefined): SettingOption['type'] {
  let inner: unknown = schema
  while (isWrapper(inner)) inner = inner.def.innerType
  const kind = (inner as z.ZodType | undefined)?.def.type
  if (kind === 'boolean') return 'boolean'
  return kind === 'record' || kind === 'object' || kind === 'array' || kind === 'number' ? 'json' : 'text'
}

function isWrapper(schema: unknown): schema is { def: { innerType: unknown } } {
  return typeof (schema as { def?: { innerType?: unknown } } | undefined)?.def?.innerType === 'object'
}
