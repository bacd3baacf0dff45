import { type HostMemory, REMEMBERED_IDS } from './host-memory.ts'
import type { EventView } from './rpc.ts'

/** What a person should know of a host after a batch: what happened, and what to do about it. */
export function eventsOf(name: string, before: HostMemory, after: HostMemory): EventView[] {
  const atMs = after.lastSeenMs ?? 0
  const event = (kind: string, message: string) => ({ atMs, kind, subject: name, message })
  const events: EventView[] = []
  if (after.clock.offsetMs !== before.clock.offsetMs)
    events.push(event('host_clock_corrected', clockMessage(name, after.clock.offsetMs)))
  for (const clone of after.clones)
    if (!before.clones.includes(clone)) events.push(event('host_cloned', cloneMessage(name, after, clone)))
  if (after.revertedAtMs !== before.revertedAtMs)
    events.push(event('host_reverted', revertedMessage(name, before, after)))
  return events
}

function clockMessage(name: string, offsetMs: number): string {
  if (offsetMs === 0) return `The clock of host ${name} is right again: its times are taken as they are`
  const off = `${Math.round(Math.abs(offsetMs) / 1000)} s ${offsetMs > 0 ? 'ahead' : 'behind'}`
  return `The clock of host ${name} is ${off}: its times are corrected by that. Set it: w32tm /resync on Windows, timedatectl set-ntp true on Linux`
}

function cloneMessage(name: string, { origins }: HostMemory, clone: HostMemory['clones'][number]): string {
  const by = clone.bootId === null ? `spool ${clone.spoolId}` : `boot ${clone.bootId} of spool ${clone.spoolId}`
  const elder = origins.at(-1)
  const stays = clone.bootId === null ? `spool ${elder?.[0]}` : `boot ${elder?.[1]}`
  return `Two machines post as host ${name}: ${stays} goes on, its copy (${by}) is kept out. On the copy: onec-agent enrol --relay URL --code CODE --name NEW-NAME. To let another machine be ${name}, enrol that one as ${name}, or remove the host`
}

function revertedMessage(name: string, before: HostMemory, after: HostMemory): string {
  return `Host ${name} counts its batches again from ${after.seq} (it was at ${before.seq}): a snapshot of the machine was restored. Nothing to do: what it sends again beyond the last ${REMEMBERED_IDS} batches is stored again and left out where the store has it`
}
