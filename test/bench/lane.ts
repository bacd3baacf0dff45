import { connect, type Socket } from 'node:net'

export interface LaneReply {
  readonly status: number
  readonly body: string
}

/**
 * One HTTP/1.1 connection that is kept open, one request in flight, requests given as ready bytes: next to no CPU, since
 * what sends shares the machine with what is measured. Understands answers with a length, chunked ones, and 204.
 */
export class Lane {
  readonly #socket: Socket
  #received = ''
  #settle: { resolve(reply: LaneReply): void; reject(error: Error): void } | undefined

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => this.#receive(text))
    this.#socket.on('error', error => this.#settle?.reject(error))
    this.#socket.on('close', () => this.#settle?.reject(new Error('the connection was closed')))
  }

  send(request: Uint8Array): Promise<LaneReply> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#settle = undefined
    this.#socket.destroy()
  }

  #receive(text: string): void {
    this.#received += text
    const reply = parse(this.#received)
    if (!reply) return
    this.#received = ''
    this.#settle?.resolve(reply)
  }
}

/** Absent while it is not whole. */
function parse(text: string): LaneReply | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = text.slice(0, end)
  const body = text.slice(end + 4)
  const status = Number(head.slice(9, 12))
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  const whole =
    length === undefined
      ? status === 204 || body.endsWith('0\r\n\r\n') || !/chunked/i.test(head)
      : body.length >= +length
  return whole ? { status, body } : undefined
}
