import { remember } from './bounded-cache.ts'

/** Most tag sets, keys and values of which the escaped form is remembered: some thousand hosts' worth. */
const MAX_REMEMBERED = 4_096

/**
 * A tag key, tag value or field key (influxdata/line-protocol: comma, equals sign and space are escaped). Control
 * characters are left out, as is a backslash at the end or before a separator: the protocol has no way to write one
 * there, and servers disagree about what it does to the next tag.
 */
export const escapeTag = remember(MAX_REMEMBERED, text => expressible(text).replace(/[,= ]/g, '\\$&'))

/** A measurement: as {@link escapeTag}, but the equals sign stands for itself. */
export const escapeMeasurement = remember(MAX_REMEMBERED, text => expressible(text).replace(/[, ]/g, '\\$&'))

/** `,key=value` for each tag that has a value, in ascending order of the keys as the protocol recommends. */
export function encodeTags(tags: Readonly<Record<string, string>>): string {
  let text = ''
  for (const key of Object.keys(tags).sort()) {
    const value = escapeTag(tags[key] ?? '')
    if (value !== '') text += `,${escapeTag(key)}=${value}`
  }
  return text
}

/** `key=value`, a float always (no suffix): a field's type is fixed by its first write. `value` is finite. */
export function encodeField(key: string, value: number): string {
  return `${escapeTag(key)}=${value}`
}

function expressible(text: string): string {
  return text.replace(/\p{Cc}/gu, '').replace(/(?<!\\)\\+(?=[,= ]|$)/g, '')
}
