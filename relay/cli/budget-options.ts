import type { Command } from 'commander'
import { BUDGET_BOUNDS, type BudgetEdit } from '../tenant/rpc.ts'
import { UserError } from './user-error.ts'
import { bytes, duration, readBytes, readDuration } from './wording.ts'

export interface BudgetFlags {
  readonly budgetAge?: string
  readonly budgetSize?: string
}

interface Form {
  readonly option: string
  readonly bounds: { readonly min: number; readonly max: number }
  readonly example: string
  read(text: string): number | undefined
  show(value: number): string
}

const AGE: Form = {
  option: '--budget-age',
  bounds: BUDGET_BOUNDS.ageMs,
  example: '6h',
  read: readDuration,
  show: duration,
}
const SIZE: Form = {
  option: '--budget-size',
  bounds: BUDGET_BOUNDS.bytes,
  example: '128MB',
  read: readBytes,
  show: bytes,
}

/** What a destination may hold back, as options of a command. */
export function budgetFlags(command: Command): Command {
  return command
    .option('--budget-age <duration>', 'undelivered data older than this is dropped (default 24h)')
    .option(
      '--budget-size <size>',
      'undelivered data above this is dropped, oldest first (default 2MB a host, at least 64MB)',
    )
}

/** The bounds that the flags name, null for `default`; absent when they name none. Fails on what no budget can be. */
export function readBudget(flags: BudgetFlags): BudgetEdit | undefined {
  const { budgetAge, budgetSize } = flags
  if (budgetAge === undefined && budgetSize === undefined) return undefined
  return {
    ...(budgetAge !== undefined && { ageMs: readBound(AGE, budgetAge) }),
    ...(budgetSize !== undefined && { bytes: readBound(SIZE, budgetSize) }),
  }
}

function readBound({ option, bounds, example, read, show }: Form, text: string): number | null {
  if (text === 'default') return null
  const value = read(text)
  if (value !== undefined && value >= bounds.min && value <= bounds.max) return value
  throw new UserError(`${option} is "${text}".`, {
    next: `It takes ${show(bounds.min)} to ${show(bounds.max)}, for example ${example}, or "default".`,
  })
}
