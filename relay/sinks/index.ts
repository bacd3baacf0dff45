import { influxdb } from './influxdb.ts'
import { loki } from './loki.ts'
import { pushgateway } from './pushgateway.ts'
import { remoteWrite } from './remote-write.ts'
import type { SinkDefinition } from './sink.ts'

/** Every kind of backend, in the order in which people are shown them. */
export const SINKS = {
  'remote-write': remoteWrite,
  pushgateway,
  influxdb,
  loki,
} as const satisfies Record<string, SinkDefinition>

export type SinkKind = keyof typeof SINKS

export const SINK_KINDS = Object.keys(SINKS) as SinkKind[]

/** The sink of a stored destination or a request; absent for a kind that this release does not know. */
export function sinkOf(kind: string): SinkDefinition | undefined {
  return Object.hasOwn(SINKS, kind) ? SINKS[kind as SinkKind] : undefined
}
