import type { Held } from './stand-in.ts'

const MAX_LINES = 500

/** What a stand-in took last, for a person: a line a series with its newest value. */
export function renderPage(held: Held, nowMs: number): string {
  const { counts } = held
  const head = [
    `${held.title} stand-in`,
    '',
    `requests ${counts.requests} · refused ${counts.refused} · samples taken ${counts.taken} (${counts.takenAgain} again)`,
    `series ${held.series.length} · dropped series ${counts.droppedSeries}, samples ${counts.droppedSamples}`,
    ...(held.defects.length > 0 ? ['', 'Defects (what the real server would let pass, but nobody may send):'] : []),
    ...held.defects.slice(-10).map(defect => `  ${defect}`),
    '',
  ]
  const lines = held.series.slice(0, MAX_LINES).map(({ name, labels, count, newest }) => {
    const text = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
    const age = newest ? `${Math.round((nowMs - newest.atMs) / 1000)} s ago` : '-'
    return `${name}{${text.join(', ')}}  ${newest?.value ?? '-'}  (${count} samples, newest ${age})`
  })
  const more = held.series.length - lines.length
  return [...head, ...lines.sort(), ...(more > 0 ? [`… and ${more} more series`] : []), ''].join('\n')
}
