import { createRequire } from 'node:module'
import { compileFunction } from 'node:vm'
import { build } from 'esbuild'
import { generateKeyring } from '../../relay/secrets/keyring.ts'
import type { TenantRpc } from '../../relay/tenant/rpc.ts'
import type { ObjectStorage } from '../../relay/tenant/storage.ts'
import { nodeStorage } from '../relay/tenant/node-storage.ts'
import { seededRandom } from './seeded-random.ts'
import type { SimulatedTime } from './simulated-time.ts'

/** An object with no request, alarm, timer or answer to wait for is evicted after this long; its memory is lost. */
const EVICTED_AFTER_MS = 10_000

export interface SimulatedOptions {
  /** From a write until it is on disk. */
  readonly syncMs: number
  /** What a destination answers, and after how long. */
  answer(url: string, body: Uint8Array | string | null): { readonly status: number; readonly afterMs: number }
  /** Every statement that wrote, with its rows; an alarm that was set is `setAlarm`, one row. */
  wrote?(statement: string, rows: number, bindings: readonly unknown[]): void
}

type Tenant = TenantRpc & { alarm(): Promise<void> }
type TenantClass = new (ctx: object, env: object) => Tenant

/**
 * The tenant object itself, bundled, on a runtime whose clock, timers, alarm, disk, network and evictions are simulated:
 * an hour passes in seconds, and two runs are the same. Its storage is Node's SQLite.
 */
export class SimulatedObject {
  /** The object's methods; calling one wakes it. */
  readonly rpc: TenantRpc
  /** Whether a request to a destination is on its way. */
  get isFetching(): boolean {
    return this.#fetching > 0
  }

  /** How often it was woken out of nothing. */
  starts = 0
  readonly #time: SimulatedTime
  readonly #options: SimulatedOptions
  readonly #class: TenantClass
  readonly #node = nodeStorage()
  readonly #env = { RELAY_KEYS: generateKeyring(), PRIVATE_DESTINATIONS: 'allow' }
  #object: Tenant | undefined
  #life = 0
  #fetching = 0
  #ready: Promise<unknown> = Promise.resolve()
  #idleAtMs = 0
  #alarmAtMs: number | null = null
  #callOff = () => {}
  #stalled: (() => void)[] | undefined

  static async start(time: SimulatedTime, options: SimulatedOptions): Promise<SimulatedObject> {
    return new SimulatedObject(time, options, await bundleObject())
  }

  private constructor(time: SimulatedTime, options: SimulatedOptions, script: string) {
    this.#time = time
    this.#options = options
    this.#class = this.#load(script)
    this.rpc = new Proxy({} as TenantRpc, {
      get:
        (_, method) =>
        (...args: unknown[]) =>
          this.#call(object =>
            (object as never as Record<string | symbol, (...args: unknown[]) => unknown>)[method]?.(...args),
          ),
    })
  }

  /** From now on no write reaches the disk, until `resumeWrites`. */
  stallWrites(): void {
    this.#stalled ??= []
  }

  resumeWrites(): void {
    for (const written of this.#stalled?.splice(0) ?? []) written()
    this.#stalled = undefined
  }

  /** It dies: what was only in memory is lost, and whatever it waits for never comes. */
  evict(): void {
    this.#object = undefined
    this.#life += 1
  }

  /** For the object of this moment alone: one that died meanwhile does not go on. */
  async #wait(ms: number): Promise<void> {
    const life = this.#life
    await this.#time.wait(ms)
    if (life !== this.#life) await new Promise(() => {})
  }

  async #call(use: (object: Tenant) => unknown): Promise<unknown> {
    if (this.#time.now > this.#idleAtMs) this.evict()
    this.#busyFor(0)
    if (!this.#object) {
      this.starts += 1
      this.#object = new this.#class(this.#context(), this.#env)
    }
    const object = this.#object
    await this.#ready
    return use(object)
  }

  #busyFor(ms: number): void {
    this.#idleAtMs = Math.max(this.#idleAtMs, this.#time.now + ms + EVICTED_AFTER_MS)
  }

  #context(): object {
    return {
      id: 'romashka:0',
      storage: this.#storage,
      blockConcurrencyWhile: (start: () => Promise<void>) => {
        this.#ready = start()
        return this.#ready
      },
      abort: () => this.evict(),
    }
  }

  readonly #storage: ObjectStorage & { getAlarm(): Promise<number | null> } = {
    sql: {
      exec: (query, ...bindings) => {
        const rows = this.#node.storage.sql.exec<never>(query, ...bindings)
        if (rows.rowsWritten > 0) this.#options.wrote?.(query, rows.rowsWritten, bindings)
        return rows
      },
    },
    transactionSync: body => this.#node.storage.transactionSync(body),
    sync: () => {
      const stalled = this.#stalled
      return stalled ? new Promise(resolve => stalled.push(resolve)) : this.#wait(this.#options.syncMs)
    },
    getAlarm: async () => this.#alarmAtMs,
    setAlarm: async atMs => {
      this.#options.wrote?.('setAlarm', 1, [])
      this.#callOff()
      this.#alarmAtMs = atMs
      this.#callOff = this.#time.at(atMs, () => {
        this.#alarmAtMs = null
        void this.#call(object => object.alarm())
      })
    },
  }

  /** The class out of the bundle, with what it would touch of the world given by name. */
  #load(script: string): TenantClass {
    const time = this.#time
    class SimulatedDate extends Date {
      static override now = () => time.now
    }
    const given = {
      require: createRequire(import.meta.url),
      module: { exports: {} as { TenantObject: TenantClass } },
      Date: SimulatedDate,
      console: { log() {}, error: console.error },
      crypto: tracked(time),
      setTimeout: (happen: () => void, ms: number) => {
        this.#busyFor(ms)
        void this.#wait(ms).then(happen)
      },
      fetch: (url: string, { body }: { body: Uint8Array | string | null }) => this.#fetch(url, body),
    }
    compileFunction(script, Object.keys(given))(...Object.values(given))
    return given.module.exports.TenantObject
  }

  async #fetch(url: string, body: Uint8Array | string | null): Promise<Response> {
    const { status, afterMs } = this.#options.answer(url, body)
    this.#busyFor(afterMs)
    this.#fetching += 1
    this.#time.after(afterMs, () => {
      this.#fetching -= 1
    })
    await this.#wait(afterMs)
    return new Response(null, { status })
  }
}

/** Keys are worked with on other threads; chance is the same in every run. */
function tracked(time: SimulatedTime) {
  const subtle = new Proxy(crypto.subtle, {
    get:
      (real, name: 'digest') =>
      (...args: Parameters<SubtleCrypto['digest']>) =>
        time.track(real[name](...args)),
  })
  const random = seededRandom(1)
  return { subtle, getRandomValues: (bytes: Uint8Array) => fill(bytes, random) }
}

async function bundleObject(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL('../../relay/tenant/object.ts', import.meta.url).pathname],
    bundle: true,
    write: false,
    format: 'cjs',
    target: 'es2024',
    external: ['node:*'],
    logLevel: 'error',
    plugins: [
      {
        name: 'runtime',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^cloudflare:workers$/ }, () => ({ path: 'workers', namespace: 'runtime' }))
          onLoad({ filter: /.*/, namespace: 'runtime' }, () => ({
            contents: 'export class DurableObject { constructor(ctx, env) { this.ctx = ctx; this.env = env } }',
          }))
        },
      },
    ],
  })
  return outputFiles[0]?.text ?? ''
}

function fill(bytes: Uint8Array, random: () => number): Uint8Array {
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Math.floor(random() * 256)
  return bytes
}
