import { request } from 'node:http'

/** One request, byte for byte as given: no header is added but Host, Content-Length and Connection. */
export interface PlainRequest {
  readonly method: string
  /** Path and query, sent as they are: `%2F` and `//` survive. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

export interface PlainReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** Sends to `http://127.0.0.1:<port>`; rejects when there is no whole answer within `timeoutMs`. */
export function sendPlain(baseUrl: string, plain: PlainRequest, timeoutMs = 10_000): Promise<PlainReply> {
  const { hostname, port } = new URL(baseUrl)
  const body = typeof plain.body === 'string' ? Buffer.from(plain.body) : (plain.body ?? new Uint8Array())
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        hostname,
        port,
        method: plain.method,
        path: plain.path,
        headers: { ...plain.headers, 'content-length': String(body.length) },
        agent: false,
        // InfluxDB 1.6 repeats the bytes that it could not read in its X-Influxdb-Error header.
        insecureHTTPParser: true,
        signal: AbortSignal.timeout(timeoutMs),
      },
      incoming => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
