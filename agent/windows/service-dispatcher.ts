import { UserError } from '../error.ts'
import type { ServiceHost } from '../service/host.ts'
import { encodeStatus } from '../service/status.ts'
import { koffi } from './koffi.ts'
import { foreign, type Handle, lastError, WindowsError, wide } from './library.ts'
import { structureWith } from './structure.ts'

const ERROR_FAILED_SERVICE_CONTROLLER_CONNECT = 1063

const startDispatcher = foreign<[Buffer]>('advapi32.dll', 'int StartServiceCtrlDispatcherW(void *table)')
const registerHandler = foreign<[string, Handle, null], Handle>(
  'advapi32.dll',
  'intptr_t RegisterServiceCtrlHandlerExW(str16 name, intptr_t handler, void *context)',
)
const setStatus = foreign<[Handle, Buffer]>('advapi32.dll', 'int SetServiceStatus(intptr_t handle, void *status)')

/**
 * The dispatcher blocks a thread of Node's pool for the life of the service. Windows calls ServiceMain on a thread of
 * its own and the handler on the dispatcher's; koffi hands both to the event loop and holds the thread until JavaScript
 * answered. So neither may wait for anything: they set off work, report, and return. All reports come from the event
 * loop, one after the other.
 */
export function windowsServiceHost(name: string): ServiceHost {
  let handle: Handle | undefined

  return {
    async dispatch({ onStart, onControl }) {
      const { register, pointer, proto } = koffi()
      const handler = register(
        (control: number) => onControl(control),
        pointer(proto('uint32_t ServiceHandler(uint32_t control, uint32_t event, void *data, void *context)')),
      )
      const main = register(
        () => {
          handle = registerHandler(name, handler, null)
          if (!handle) throw new WindowsError('RegisterServiceCtrlHandlerExW', lastError())
          onStart()
        },
        pointer(proto('void ServiceMain(uint32_t count, void *words)')),
      )
      await runDispatcher(name, main)
    },
    report(status) {
      if (!handle || !setStatus(handle, encodeStatus(status))) throw new WindowsError('SetServiceStatus', lastError())
    },
  }
}

/** SERVICE_TABLE_ENTRYW: a name and a function, then an empty entry. */
async function runDispatcher(name: string, main: bigint): Promise<void> {
  const entries = Buffer.alloc(32)
  entries.writeBigUInt64LE(main, 8)
  const { result, error } = await startDispatcher.later(structureWith(entries, 0, wide(name)))
  if (result) return
  if (error === ERROR_FAILED_SERVICE_CONTROLLER_CONNECT)
    throw new UserError('`service run` is for the service manager of Windows. By hand: onec-agent run')
  throw new WindowsError('StartServiceCtrlDispatcherW', error)
}
