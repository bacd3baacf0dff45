import type { DestinationInput } from '../tenant/rpc.ts'
import type { Variables } from './environment.ts'

interface SeedDestination {
  readonly name: string
  readonly sink: string
  /** Variable by setting. An absent variable is an absent setting. */
  readonly variables: Readonly<Record<string, string>> & { readonly url: string }
}

/** What the seed guide's `.env` calls each setting of each destination. */
const SEED_DESTINATIONS: readonly SeedDestination[] = [
  {
    name: 'grafana-prometheus',
    sink: 'remote-write',
    variables: {
      url: 'GRAFANA_PROMETHEUS_URL',
      user: 'GRAFANA_PROMETHEUS_USER',
      password: 'GRAFANA_PROMETHEUS_PASSWORD',
    },
  },
  { name: 'pushgateway', sink: 'pushgateway', variables: { url: 'PROMETHEUS_PUSHGATEWAY_URL' } },
  {
    name: 'influxdb',
    sink: 'influxdb',
    variables: { url: 'INFLUXDB_URL', token: 'INFLUXDB_TOKEN', org: 'INFLUXDB_ORG', bucket: 'INFLUXDB_BUCKET' },
  },
  {
    name: 'loki',
    sink: 'loki',
    variables: { url: 'GRAFANA_LOKI_URL', user: 'GRAFANA_LOKI_USER', password: 'GRAFANA_LOKI_PASSWORD' },
  },
]

/** The variables above, which only the relay may hold: an agent is started without them. */
export const SEED_SINK_VARIABLES: readonly string[] = SEED_DESTINATIONS.flatMap(seed => Object.values(seed.variables))

/** A destination as the environment (or a stand-in) wants it. */
export interface WantedDestination extends DestinationInput {
  /** Where it comes from, for a person: the name of the variable with its URL, or `stand-in`. */
  readonly from: string
  /** The settings that this source speaks for: those it leaves out are removed, all others are left alone. */
  readonly governs: readonly string[]
}

export interface SeedReading {
  readonly destinations: readonly WantedDestination[]
  /** Variables that have no effect, as sentences. */
  readonly warnings: readonly string[]
}

/** The destinations that the seed's variables name. Pure; `allowHttp` lets plain http URLs leave this machine. */
export function destinationsFromEnv(variables: Variables, allowHttp = false): SeedReading {
  const destinations: WantedDestination[] = []
  const warnings: string[] = []
  for (const seed of SEED_DESTINATIONS) {
    const entries = Object.entries(seed.variables)
    const settings = Object.fromEntries(
      entries.flatMap(([key, variable]) => (variables[variable] ? [[key, variables[variable]]] : [])),
    )
    const from = seed.variables.url
    if (settings.url !== undefined) {
      const flag = allowHttp ? { allowHttp: true } : {}
      const governs = [...entries.map(([key]) => key), 'allowHttp']
      destinations.push({ name: seed.name, sink: seed.sink, settings: { ...settings, ...flag }, from, governs })
    } else if (Object.keys(settings).length > 0) {
      const without = entries.flatMap(([, variable]) => (variables[variable] ? [variable] : []))
      warnings.push(`${without.join(', ')} has no effect without ${from}.`)
    }
  }
  return { destinations, warnings }
}

/** Destinations for the sinks that `wanted` leaves out, at stand-ins with these URLs by kind of sink. */
export function standInDestinations(
  wanted: readonly WantedDestination[],
  urls: Readonly<Record<string, string>>,
): WantedDestination[] {
  return missingSinks(wanted).flatMap(seed => {
    const url = urls[seed.sink]
    const governs = [...Object.keys(seed.variables), 'allowHttp']
    return url ? [{ name: seed.name, sink: seed.sink, settings: { url }, from: 'stand-in', governs }] : []
  })
}

/** What the seed names and `wanted` does not, in the seed's order. */
export function missingSinks(wanted: readonly WantedDestination[]): readonly SeedDestination[] {
  return SEED_DESTINATIONS.filter(seed => !wanted.some(destination => destination.name === seed.name))
}
