import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { StatePaths } from '../../agent/config.ts'
import { diskFiles } from '../../agent/spool/files.ts'
import { decodeItem, type SpoolItem } from '../../agent/spool/item.ts'
import { scanRecords } from '../../agent/spool/record.ts'
import { openSlots } from '../../agent/spool/slots.ts'
import { spoolState } from '../../agent/spool/state.ts'

/** Where the snapshots of a stopped agent are, each in one place. */
export interface Account {
  /** By the numbers of the spool's records, which have no gaps. */
  readonly taken: number
  /** Answered by the relay as stored. */
  readonly delivered: number
  /** Given up by the spool, by its own count. */
  readonly dropped: number
  readonly pending: number
  readonly aside: number
  /** Taken and in none of these places; below zero, in two of them. */
  readonly missing: number
}

/** Reads what a stopped agent left; `confirmed` are the times of the snapshots whose post was answered as stored. */
export function takeAccount(paths: StatePaths, confirmed: ReadonlySet<number>): Account {
  const slots = openSlots(diskFiles, path.join(paths.spool, 'state'))
  const { doneTo, dropped } = spoolState.parse(slots.value)
  slots.close()
  const records = diskFiles
    .list(paths.spool)
    .filter(name => name.endsWith('.seg'))
    .sort()
    .flatMap(name => scanRecords(readFileSync(path.join(paths.spool, name)), 0).records)
  const waiting = records.filter(({ number }) => number > doneTo).map(({ payload }) => decodeItem(payload))
  // The answer to the last post may have come too late for the agent.
  const open = (items: readonly SpoolItem[]) => items.filter(({ atMs }) => !confirmed.has(atMs)).length
  const taken = Math.max(doneTo, records.at(-1)?.number ?? 0)
  const places = { delivered: confirmed.size, dropped, pending: open(waiting), aside: open(asideItems(paths.aside)) }
  const found = Object.values(places).reduce((sum, count) => sum + count, 0)
  return { taken, ...places, missing: taken - found }
}

function asideItems(directory: string): SpoolItem[] {
  return readdirSync(directory)
    .filter(name => name.endsWith('.json'))
    .flatMap(name => JSON.parse(readFileSync(path.join(directory, name), 'utf8')).batch.items as SpoolItem[])
}
