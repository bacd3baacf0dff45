import type { DeadLetterBatch, DeadLetterDetail, DeadLetterView } from '../tenant/rpc.ts'
import { plainLine, table } from './table.ts'
import { count, timestamp } from './wording.ts'

export function letterTable(letters: readonly DeadLetterView[]): string {
  const rows = letters.map(letter => [
    String(letter.id),
    timestamp(letter.atMs),
    letter.destination,
    letter.host,
    String(letter.samples),
    timestamp(letter.fromMs),
    timestamp(letter.toMs),
    letter.reason,
  ])
  return table(['ID', 'TIME', 'DESTINATION', 'HOST', 'SAMPLES', 'FROM', 'TO', 'REASON'], rows)
}

/** A letter's facts, then what is in it, a line a sample. */
export function letterDetail(letter: DeadLetterDetail): string {
  const facts: [string, string | null][] = [
    ['destination', letter.destination],
    ['host', letter.host],
    ['refused', timestamp(letter.atMs)],
    ['reason', letter.reason],
    ['samples', count(letter.samples)],
    ['from', timestamp(letter.fromMs)],
    ['to', timestamp(letter.toMs)],
  ]
  return [
    `Dead letter ${letter.id}`,
    ...facts.map(([name, value]) => `  ${name.padEnd(14)}${plainLine(value ?? '-')}`),
    ...letter.batches.flatMap(batch => ['', ...batchLines(batch)]),
    '',
    ...cutLine(letter.cut),
  ].join('\n')
}

function batchLines({ host, source, removed, ended, snapshots, entries }: DeadLetterBatch): string[] {
  const samples = snapshots.flatMap(({ atMs, metrics, series }) => [
    ...Object.entries(metrics).map(([name, value]) => [timestamp(atMs), name, String(value)]),
    ...(series ?? []).map(({ name, labels, value }) => [timestamp(atMs), name + labelText(labels), String(value)]),
  ])
  const logged = entries.map(({ atMs, level, message, fields }) => [
    timestamp(atMs),
    level,
    message + (fields ? ` ${JSON.stringify(fields)}` : ''),
  ])
  return [
    plainLine(`${host}: ${source === 'agent' ? 'what it sent' : 'what the relay says of it'}`),
    ...(removed ? [`  its removal, which ends ${count(ended)} series`] : []),
    ...(samples.length > 0 ? [table(['TIME', 'METRIC', 'VALUE'], samples)] : []),
    ...(logged.length > 0 ? [table(['TIME', 'LEVEL', 'MESSAGE'], logged)] : []),
  ]
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')}}`
}

function cutLine({ snapshots, samples, entries }: DeadLetterDetail['cut']): string[] {
  if (snapshots + entries === 0) return []
  return [`Not shown: ${count(snapshots)} more snapshots (${count(samples)} samples), ${count(entries)} log entries.`]
}
