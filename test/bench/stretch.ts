/** From when to when, epoch milliseconds with fractions: clocks of processes on one machine agree. */
export type Stretch = readonly [fromMs: number, toMs: number]

export const wallMs = (): number => performance.timeOrigin + performance.now()

/** The stretches in which something was in flight. */
export class InFlight {
  #count = 0
  #fromMs = 0
  #stretches: Stretch[] = []

  enter(): void {
    if (this.#count === 0) this.#fromMs = wallMs()
    this.#count += 1
  }

  leave(): void {
    this.#count -= 1
    if (this.#count === 0) this.#stretches.push([this.#fromMs, wallMs()])
  }

  /** What was closed since the last call. */
  take(): Stretch[] {
    const taken = this.#stretches
    this.#stretches = []
    return taken
  }
}

/** Milliseconds covered by any of the stretches. */
export function unionMs(stretches: readonly Stretch[]): number {
  let sum = 0
  let coveredTo = Number.NEGATIVE_INFINITY
  for (const [fromMs, toMs] of stretches.toSorted((a, b) => a[0] - b[0])) {
    sum += Math.max(toMs - Math.max(fromMs, coveredTo), 0)
    coveredTo = Math.max(coveredTo, toMs)
  }
  return sum
}
