import { launch, requireBinary } from '../../support/real-server-process.ts'
import type { Peer } from './peers.ts'

const BINARY = 'prometheus-node-exporter'

/** Debian's, with the collectors that it has on. A round is a scrape. */
export const nodeExporter: Peer = {
  file: () => requireBinary(BINARY, BINARY),
  async start() {
    const { url, pid, stop } = await launch({
      binary: BINARY,
      debianPackage: BINARY,
      readyPath: '/',
      args: (_, port) => [`--web.listen-address=127.0.0.1:${port}`],
    })
    return {
      pid,
      stop,
      async round() {
        const reply = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) })
        const text = await reply.text()
        if (!reply.ok || !text.includes('node_cpu_seconds_total')) throw new Error(`a scrape answered ${reply.status}`)
      },
    }
  },
}
