import { gunzipSync } from 'node:zlib'
import { uncompressSync } from 'snappy'
import { forward, pass, serve } from './forward.ts'

export type SinkFault =
  /** No answer until the relay gives up, and nothing stored. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'answer'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** 400 for requests with data of this host, nothing stored. */
  | { readonly kind: 'poison'; readonly host: string }
  /** The connection ends, nothing stored. */
  | { readonly kind: 'drop' }
  /** Stored, and the connection ends before the answer. */
  | { readonly kind: 'lost-reply' }

export interface SinkProxy {
  readonly url: string
  fault: SinkFault | undefined
  /** Requests that met a fault, by its kind. */
  readonly met: Record<string, number>
  stop(): Promise<void>
}

/** Stands before a sink, a real one or a double, and makes it fail. */
export async function startSinkProxy(sinkPort: number): Promise<SinkProxy> {
  const server = await serve(async (incoming, outgoing, body) => {
    const { fault } = proxy
    const path = incoming.url ?? '/'
    if (fault && (fault.kind !== 'poison' || carries(path, body, fault.host))) {
      proxy.met[fault.kind] = (proxy.met[fault.kind] ?? 0) + 1
      if (fault.kind === 'hang') return
      if (fault.kind === 'drop') return void outgoing.destroy()
      if (fault.kind === 'answer')
        return void outgoing.writeHead(fault.status, fault.headers).end('told so by the test\n')
      if (fault.kind === 'poison') return void outgoing.writeHead(400).end('a label of it is not to our taste\n')
    }
    const answer = await forward(sinkPort, incoming, path, body)
    if (!answer || fault?.kind === 'lost-reply') return void outgoing.destroy()
    pass(outgoing, answer)
  })
  const proxy: SinkProxy = { url: server.url, fault: undefined, met: {}, stop: server.stop }
  return proxy
}

/** Whether a request speaks of a host, in its path (Pushgateway, base64) or its body, however that is packed. */
function carries(path: string, body: Buffer, host: string): boolean {
  const inPath = path.includes(Buffer.from(host).toString('base64url').replace(/=+$/, ''))
  return inPath || plain(body).includes(host)
}

function plain(body: Buffer): Buffer {
  if (body[0] === 0x1f && body[1] === 0x8b) return gunzipSync(body)
  try {
    return Buffer.from(uncompressSync(body))
  } catch {
    return body
  }
}
