import { koffi } from './koffi.ts'
import { foreign, type Handle, lastError, readWide, WindowsError } from './library.ts'
import { queryStatus, SC_MANAGER_CONNECT, withManager, withService } from './service-manager.ts'

/** How a service is set up, as QueryServiceConfigW and its like have it. */
export interface ServiceSetup {
  /** SERVICE_STATUS_PROCESS: 1 stopped, 2 starting, 3 stopping, 4 running. */
  readonly state: number
  /** What it ended with; 1066 stands for a code of the service's own, which is given then. */
  readonly exitCode: number
  /** 2 automatic, 3 by hand, 4 disabled. */
  readonly startType: number
  readonly account: string
  /** What is done after failures; 0: nothing. */
  readonly failureActions: number
}

const QUERY_CONFIG_AND_STATUS = 0x1 | 0x4
const FAILURE_ACTIONS = 2
/** The most that QueryServiceConfigW may need. */
const CONFIG_BYTES = 8 * 1024

const queryConfig = foreign<[Handle, Buffer, number, Buffer]>(
  'advapi32.dll',
  'int QueryServiceConfigW(intptr_t service, void *out, uint32_t bytes, void *needed)',
)
const queryConfig2 = foreign<[Handle, number, Buffer, number, Buffer]>(
  'advapi32.dll',
  'int QueryServiceConfig2W(intptr_t service, uint32_t level, void *out, uint32_t bytes, void *needed)',
)
/** Absent when there is no such service. Throws a WindowsError; a UserError where only an administrator may look. */
export function readServiceSetup(name: string): ServiceSetup | undefined {
  return withManager(SC_MANAGER_CONNECT, manager => withService(manager, name, QUERY_CONFIG_AND_STATUS, readOpen))
}

function readOpen(service: Handle): ServiceSetup {
  const [status, config, actions] = [Buffer.alloc(36), Buffer.alloc(CONFIG_BYTES), Buffer.alloc(CONFIG_BYTES)]
  const needed = Buffer.alloc(4)
  if (!queryStatus(service, 0, status, status.length, needed))
    throw new WindowsError('QueryServiceStatusEx', lastError())
  if (!queryConfig(service, config, config.length, needed)) throw new WindowsError('QueryServiceConfigW', lastError())
  // Not every system keeps them: none is what they then are.
  queryConfig2(service, FAILURE_ACTIONS, actions, actions.length, needed)
  return parseServiceSetup({ status, config, actions, configAt: BigInt(koffi().address(config)) })
}

/**
 * SERVICE_STATUS_PROCESS, QUERY_SERVICE_CONFIGW with its texts behind it (pointers into the same memory, which begins at
 * `configAt`) and SERVICE_FAILURE_ACTIONSW, winsvc.h on 64 bits.
 */
export function parseServiceSetup(memory: {
  readonly status: Buffer
  readonly config: Buffer
  readonly actions: Buffer
  readonly configAt: bigint
}): ServiceSetup {
  const { status, config, actions, configAt } = memory
  const account = Number(config.readBigUInt64LE(48) - configAt)
  const exitCode = status.readUInt32LE(12)
  return {
    state: status.readUInt32LE(4),
    exitCode: exitCode === 1066 ? status.readUInt32LE(16) : exitCode,
    startType: config.readUInt32LE(4),
    account: account > 0 && account < config.length ? readWide(config, account) : '?',
    failureActions: actions.readUInt32LE(24),
  }
}
