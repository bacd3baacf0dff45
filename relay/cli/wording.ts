/** Numbers as people read them. */

/** `1234567` → `1,234,567`. */
export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}

/** Whole units, the largest one that fits: `800 ms`, `12 s`, `5 min`, `3 h`, `2 d`. */
export function duration(ms: number): string {
  const value = Math.max(0, ms)
  if (value < 1_000) return `${Math.round(value)} ms`
  if (value < 120_000) return `${Math.round(value / 1_000)} s`
  if (value < 7_200_000) return `${Math.round(value / 60_000)} min`
  if (value < 172_800_000) return `${Math.round(value / 3_600_000)} h`
  return `${Math.round(value / 86_400_000)} d`
}

/** With one digit and a sign, never `-0.0`. */
export function seconds(ms: number): string {
  return `${(Math.round(ms / 100) / 10 + 0).toFixed(1)} s`
}

/** How long ago; null stays unknown. */
export function ago(atMs: number | null, now: number): string | null {
  return atMs === null ? null : `${duration(now - atMs)} ago`
}

/** `2026-11-23 09:20:02`, UTC, as logs have it. */
export function timestamp(atMs: number | null): string | null {
  return atMs === null ? null : `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')}Z`
}

export function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let left = value
  let unit = 0
  while (left >= 1_024 && unit < units.length - 1) {
    left /= 1_024
    unit++
  }
  return `${unit === 0 ? left : left.toFixed(1)} ${units[unit]}`
}

/** Bytes of `512KB`, `128MB`, `1GB`, as `bytes` shows them: 1 KB is 1,024. Absent when it is none of them. */
export function readBytes(text: string): number | undefined {
  const match = /^(\d{1,6})\s*(KB|MB|GB)$/i.exec(text.trim())
  const unit = { KB: 1_024, MB: 1_024 ** 2, GB: 1_024 ** 3 }[match?.[2]?.toUpperCase() ?? '']
  return match && unit ? Number(match[1]) * unit : undefined
}

/** Milliseconds of `90s`, `30m`, `24h`, `7d`; absent when it is none of them. */
export function readDuration(text: string): number | undefined {
  const match = /^(\d{1,6})\s*(s|m|min|h|d)$/.exec(text.trim())
  const unit = { s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? '']
  return match && unit ? Number(match[1]) * unit : undefined
}
