import type { PlainRequest } from '../http-request.ts'

/**
 * One request of a conformance table and the status that the real server answers to it, measured. The real server and
 * the stand-in that mirrors it get the rows in order, so a row may build on what an earlier one without a defect stored.
 */
export interface Row {
  readonly name: string
  readonly request: PlainRequest
  readonly status: number
  /** Taken by the real server, refused with 400 by a strict stand-in, as a defect with these words in it. */
  readonly defect?: RegExp
}
