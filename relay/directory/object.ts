import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'
import { RelayError } from '../problem.ts'
import { type Result, refused } from '../result.ts'
import { type Directory, openDirectory } from './directory.ts'
import type { DirectoryRpc, EnrolmentView, Operator, TenantRecord } from './rpc.ts'
import { unreadable } from './schema.ts'

/** Shell of {@link Directory}: storage, clock, and errors as what survives an RPC hop. */
export class DirectoryObject extends DurableObject<Env> implements DirectoryRpc {
  readonly #directory: Directory | RelayError

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#directory = open(ctx.storage, env)
  }

  async operator(tokenHash: string): Promise<Result<Operator>> {
    return this.#answer(directory => directory.operator(tokenHash))
  }

  async addTenant(input: { name: string; id?: string }, by: string): Promise<Result<TenantRecord>> {
    return this.#answer(directory => directory.addTenant(input, by))
  }

  async tenants(): Promise<readonly TenantRecord[]> {
    return this.#open().tenants()
  }

  async tenant(idOrName: string): Promise<Result<TenantRecord>> {
    return this.#answer(directory => directory.tenant(idOrName))
  }

  async addEnrolment(input: Parameters<DirectoryRpc['addEnrolment']>[0], by: string): Promise<Result<EnrolmentView>> {
    return this.#answer(directory => directory.addEnrolment(input, by))
  }

  async enrolments(tenantId: string): Promise<readonly EnrolmentView[]> {
    return this.#open().enrolments(tenantId)
  }

  async redeem(codeHash: string, machineId: string): Promise<Result<TenantRecord>> {
    return this.#answer(directory => directory.redeem(codeHash, machineId))
  }

  async audit(entry: Parameters<DirectoryRpc['audit']>[0]): Promise<void> {
    this.#open().audit(entry)
  }

  #answer<T>(act: (directory: Directory) => Result<T>): Result<T> {
    try {
      return act(this.#open())
    } catch (error) {
      if (error instanceof RelayError) return refused(error.code, error.message)
      throw error
    }
  }

  #open(): Directory {
    if (this.#directory instanceof RelayError) throw this.#directory
    return this.#directory
  }
}

/** An object that cannot read its state still answers, with why: it must never start empty. */
function open(storage: DurableObjectStorage, env: Env): Directory | RelayError {
  try {
    return openDirectory(
      {
        rows: (query, ...bindings) => storage.sql.exec(query, ...bindings).toArray() as never,
        transaction: body => storage.transactionSync(body),
      },
      env.RELAY_OPERATOR_HASH,
      Date.now,
    )
  } catch (error) {
    console.error('the directory cannot read its state', error)
    return error instanceof RelayError ? error : unreadable('its database does not open')
  }
}
