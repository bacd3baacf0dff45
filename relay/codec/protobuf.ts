/**
 * Protobuf's wire format (protobuf.dev/programming-guides/encoding), as far as remote write needs it, written straight
 * into one growing buffer. Lengths are computed ahead, so that nothing is written twice.
 */
export class ProtobufWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(capacityBytes: number) {
    this.#bytes = new Uint8Array(capacityBytes)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** A field's tag below 16 (`field << 3 | wire type`) is one byte. */
  tag(field: number, wireType: 0 | 1 | 2): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = (field << 3) | wireType
  }

  /** `value` is a non-negative safe integer: 32 bits at a time would lose an epoch in milliseconds. */
  varint(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
  }

  double(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** Eight bytes given as two 32-bit halves, for a double that may not pass through a JavaScript number. */
  fixed64(high: number, low: number): void {
    this.#reserve(8)
    this.#view.setUint32(this.#length, low, true)
    this.#view.setUint32(this.#length + 4, high, true)
    this.#length += 8
  }

  bytes(chunk: Uint8Array): void {
    this.#reserve(chunk.length)
    this.#bytes.set(chunk, this.#length)
    this.#length += chunk.length
  }

  /** What was written; a view, valid until the next write. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(moreBytes: number): void {
    if (this.#length + moreBytes <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + moreBytes))
    grown.set(this.written())
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** Bytes that `value` takes as a varint. */
export function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++
  return bytes
}
