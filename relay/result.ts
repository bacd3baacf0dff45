import type { ProblemCode } from '../shared/problem.ts'

/** What an object answers over RPC: error classes do not survive that hop, codes do. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: ProblemCode; readonly detail: string }

export const ok = <T>(value: T): Result<T> => ({ ok: true, value })

export const refused = (code: ProblemCode, detail: string): Result<never> => ({ ok: false, code, detail })
