const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const

/** "90", "90s", "30m" or "2h" as milliseconds; absent for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text.trim())
  if (!match) return undefined
  const unit = (match[2] || 's') as keyof typeof UNIT_MS
  return Math.round(Number(match[1]) * UNIT_MS[unit])
}
