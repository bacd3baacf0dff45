import { crc32 } from 'node:zlib'
import { decode, encode } from '@msgpack/msgpack'
import type { SeriesName } from '../sinks/sink.ts'
import { type Counters, readCounters } from './counters.ts'
import { type DestinationMemory, newDestination } from './destination-memory.ts'
import { type HostMemory, newHost } from './host-memory.ts'
import type { Incident } from './incident.ts'
import type { RingState } from './ring.ts'

/**
 * All that changes with every batch, as one row: what the object knows that its tables do not. MessagePack with named
 * fields, so that release N reads N±1: a field that is new gets its default, one that is gone is ignored. Its last field
 * is a checksum of all before it, which a release without one ignores and does not write.
 */
export interface Checkpoint {
  /** Last tick of the relay: a long time since means that the relay was away, not the hosts. */
  readonly heartbeatMs: number
  readonly incident: Incident | null
  readonly ring: RingState
  readonly hosts: ReadonlyMap<string, HostMemory>
  readonly destinations: ReadonlyMap<string, DestinationMemory>
  /** Per host id its series at last; hosts that are alike share one list. */
  readonly series: ReadonlyMap<string, readonly SeriesName[]>
  readonly counters: Counters
}

const CHECKPOINT_VERSION = 1

/** CRC-32 of what is before these bytes, big-endian: bits that flipped on a disk mostly leave MessagePack readable. */
const CHECKSUM_BYTES = 4

/** Batch ids are 16 characters of base64url: packed as their 12 bytes, one binary for all of a host. */
const ID_BYTES = 12

export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const hosts = [...checkpoint.hosts].map(([id, host]) => [
    id,
    { ...host, ids: packIds(host.ids), backups: [...host.backups] },
  ])
  const destinations = [...checkpoint.destinations].map(([id, memory]) => [
    id,
    { ...memory, newestMs: [...memory.newestMs], leftOut: [...memory.leftOut] },
  ])
  const series = [...Map.groupBy(checkpoint.series, ([, list]) => list)].map(([list, of]) => [
    of.map(([id]) => id),
    list,
  ])
  const checksum = new Uint8Array(CHECKSUM_BYTES)
  const raw = { ...checkpoint, v: CHECKPOINT_VERSION, hosts, destinations, series, checksum }
  const bytes = encode(raw, { ignoreUndefined: true })
  const { body, check } = partsOf(bytes)
  check.setUint32(0, crc32(body))
  return bytes
}

/** @throws Error when the bytes are no checkpoint that this release reads: never start empty instead */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const raw = decode(bytes) as Record<string, unknown> & {
    hosts: [string, HostMemory & { ids: Uint8Array; backups: never }][]
    destinations: [string, Omit<DestinationMemory, 'newestMs' | 'leftOut'> & { newestMs: never; leftOut: never }][]
    checksum?: unknown
  }
  if (typeof raw?.v !== 'number' || raw.v > CHECKPOINT_VERSION + 1 || !Array.isArray(raw.hosts))
    throw new Error(`checkpoint of version ${String(raw?.v)} is not readable by this release`)
  const { body, check } = partsOf(bytes)
  if (raw.checksum !== undefined && check.getUint32(0) !== crc32(body))
    throw new Error('checkpoint does not have the checksum that it was written with')
  return {
    heartbeatMs: raw.heartbeatMs as number,
    incident: (raw.incident as Incident | undefined) ?? null,
    ring: raw.ring as RingState,
    counters: readCounters(raw.counters as Partial<Counters> | undefined),
    hosts: new Map(
      raw.hosts.map(([id, host]) => [
        id,
        { ...newHost(0), ...host, ids: unpackIds(host.ids), backups: new Map(host.backups) },
      ]),
    ),
    series: new Map(
      ((raw.series ?? []) as [string[], SeriesName[]][]).flatMap(([ids, list]) => ids.map(id => [id, list] as const)),
    ),
    destinations: new Map(
      raw.destinations.map(([id, memory]) => [
        id,
        { ...newDestination(0), ...memory, newestMs: new Map(memory.newestMs), leftOut: new Map(memory.leftOut) },
      ]),
    ),
  }
}

/** The checksum is the value of the last field, so its bytes are the last ones. */
function partsOf(bytes: Uint8Array): { body: Uint8Array; check: DataView } {
  const at = bytes.length - CHECKSUM_BYTES
  return { body: bytes.subarray(0, at), check: new DataView(bytes.buffer, bytes.byteOffset + at, CHECKSUM_BYTES) }
}

function packIds(ids: readonly string[]): Uint8Array {
  const packed = new Uint8Array(ids.length * ID_BYTES)
  ids.forEach((id, index) => {
    const text = atob(id.replaceAll('-', '+').replaceAll('_', '/'))
    for (let at = 0; at < ID_BYTES; at += 1) packed[index * ID_BYTES + at] = text.charCodeAt(at)
  })
  return packed
}

function unpackIds(packed: Uint8Array): string[] {
  const ids: string[] = []
  for (let from = 0; from < packed.length; from += ID_BYTES)
    ids.push(
      btoa(String.fromCharCode(...packed.subarray(from, from + ID_BYTES)))
        .replaceAll('+', '-')
        .replaceAll('/', '_'),
    )
  return ids
}
