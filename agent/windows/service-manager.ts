import { UserError } from '../error.ts'
import { BeingDeletedError, DatabaseLockedError, type ServiceManager, type ServiceSpec } from '../service/manager.ts'
import {
  decodeFacts,
  encodeFailureActions,
  encodeRestarts,
  PRESHUTDOWN_MS,
  RESTART_AFTER_MS,
} from '../service/recovery.ts'
import { foreign, type Handle, lastError, WindowsError, wide } from './library.ts'
import { structureWith } from './structure.ts'

export const SC_MANAGER_CONNECT = 0x1
const SC_MANAGER_CREATE_SERVICE = 0x2
const SERVICE_ALL_ACCESS = 0xf01ff
const SERVICE_QUERY_STATUS = 0x4
const SERVICE_START = 0x10
const SERVICE_STOP = 0x20
const SERVICE_CHANGE_CONFIG = 0x2
/** A failure action that restarts is set only by who may start. */
const CHANGE = SERVICE_CHANGE_CONFIG | SERVICE_START
const DELETE = 0x10000

const OWN_PROCESS = 0x10
const AUTO_START = 2
const ERROR_NORMAL = 1
const NO_CHANGE = 0xffffffff

const CONFIG = {
  description: 1,
  failureActions: 2,
  delayedStart: 3,
  failureFlag: 4,
  sidInfo: 5,
  preshutdown: 7,
} as const

const ERROR_ACCESS_DENIED = 5
const ERROR_SERVICE_DOES_NOT_EXIST = 1060
const ERROR_INVALID_LEVEL = 124
const ERROR_SERVICE_DATABASE_LOCKED = 1055
const ERROR_SERVICE_ALREADY_RUNNING = 1056
const ERROR_SERVICE_CANNOT_ACCEPT_CTRL = 1061
const ERROR_SERVICE_NOT_ACTIVE = 1062
const ERROR_SERVICE_MARKED_FOR_DELETE = 1072
const ERROR_SERVICE_EXISTS = 1073

const openManager = foreign<[null, null, number], Handle>(
  'advapi32.dll',
  'intptr_t OpenSCManagerW(str16 machine, str16 database, uint32_t access)',
)
const openService = foreign<[Handle, string, number], Handle>(
  'advapi32.dll',
  'intptr_t OpenServiceW(intptr_t manager, str16 name, uint32_t access)',
)
const createService = foreign<
  [Handle, string, string, number, number, number, number, string, null, null, null, null, null],
  Handle
>(
  'advapi32.dll',
  'intptr_t CreateServiceW(intptr_t manager, str16 name, str16 display, uint32_t access, uint32_t type, uint32_t start, uint32_t error, str16 path, str16 group, void *tag, str16 after, str16 account, str16 password)',
)
const changeConfig = foreign<[Handle, number, number, number, string, null, null, null, null, null, string | null]>(
  'advapi32.dll',
  'int ChangeServiceConfigW(intptr_t service, uint32_t type, uint32_t start, uint32_t error, str16 path, str16 group, void *tag, str16 after, str16 account, str16 password, str16 display)',
)
const changeConfig2 = foreign<[Handle, number, Buffer]>(
  'advapi32.dll',
  'int ChangeServiceConfig2W(intptr_t service, uint32_t level, void *info)',
)
export const queryStatus = foreign<[Handle, number, Buffer, number, Buffer]>(
  'advapi32.dll',
  'int QueryServiceStatusEx(intptr_t service, int level, void *out, uint32_t bytes, void *needed)',
)
const startService = foreign<[Handle, number, null]>(
  'advapi32.dll',
  'int StartServiceW(intptr_t service, uint32_t count, void *words)',
)
const controlService = foreign<[Handle, number, Buffer]>(
  'advapi32.dll',
  'int ControlService(intptr_t service, uint32_t control, void *status)',
)
const deleteService = foreign<[Handle]>('advapi32.dll', 'int DeleteService(intptr_t service)')
const closeService = foreign<[Handle]>('advapi32.dll', 'int CloseServiceHandle(intptr_t handle)')

export const windowsServices: ServiceManager = {
  checkRights: () => withManager(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE, () => undefined),
  query: name =>
    withManager(SC_MANAGER_CONNECT, manager =>
      withService(manager, name, SERVICE_QUERY_STATUS, service => {
        const out = Buffer.alloc(36)
        check('QueryServiceStatusEx', queryStatus(service, 0, out, out.length, Buffer.alloc(4)))
        return decodeFacts(out)
      }),
    ),
  put: spec =>
    withManager(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE, manager => {
      create(manager, spec)
      existing(
        spec.name,
        withService(manager, spec.name, CHANGE, service => configure(service, spec)),
      )
    }),
  start: name =>
    act(name, SERVICE_START, service => {
      if (!startService(service, 0, null)) explainStart(lastError())
    }),
  stop: name =>
    act(name, SERVICE_STOP, service => {
      // It takes no control while it stops, nor while it begins: who waits for its end sees which.
      if (!controlService(service, 1, Buffer.alloc(28)))
        checkBut('ControlService', ERROR_SERVICE_NOT_ACTIVE, ERROR_SERVICE_CANNOT_ACCEPT_CTRL)
    }),
  remove: name =>
    act(name, DELETE, service => {
      if (!deleteService(service)) checkBut('DeleteService', ERROR_SERVICE_MARKED_FOR_DELETE)
    }),
}

/**
 * What an MSI cannot say of the service: that it begins delayed, restarts after a failure, and a command line whose
 * program is in quotes for sure. The service sets it for itself at each start; access denied is no reason not to run.
 */
export function configureItself(name: string, imagePath: string): void {
  withManager(SC_MANAGER_CONNECT, manager =>
    withService(manager, name, CHANGE, service => {
      const same = [NO_CHANGE, NO_CHANGE, NO_CHANGE] as const
      check('ChangeServiceConfigW', changeConfig(service, ...same, imagePath, null, null, null, null, null, null))
      setBehaviour(service)
    }),
  )
}

function create(manager: Handle, { name, displayName, imagePath }: ServiceSpec): void {
  const common = [OWN_PROCESS, AUTO_START, ERROR_NORMAL, imagePath, null, null, null, null, null] as const
  const service = createService(manager, name, displayName, SERVICE_ALL_ACCESS, ...common)
  if (service) closeService(service)
  else checkBut('CreateServiceW', ERROR_SERVICE_EXISTS)
}

function configure(service: Handle, { displayName, description, imagePath }: ServiceSpec): boolean {
  const common = [OWN_PROCESS, AUTO_START, ERROR_NORMAL, imagePath, null, null, null, null, null, displayName] as const
  check('ChangeServiceConfigW', changeConfig(service, ...common))
  const text = structureWith(Buffer.alloc(8), 0, wide(description))
  setLevel(service, 'description', text)
  setBehaviour(service)
  return true
}

function setBehaviour(service: Handle): void {
  const actions = structureWith(encodeFailureActions(RESTART_AFTER_MS.length), 32, encodeRestarts(RESTART_AFTER_MS))
  setLevel(service, 'failureActions', actions)
  // Also after an end that was reported, with an exit code: a disk that was full at the start.
  setLevel(service, 'failureFlag', word(1))
  setLevel(service, 'delayedStart', word(1))
  setLevel(service, 'preshutdown', word(PRESHUTDOWN_MS))
  // Unrestricted: a SID of its own, by which a share or a database can let it in.
  setLevel(service, 'sidInfo', word(1))
}

function act(name: string, access: number, use: (service: Handle) => void): void {
  const done = withManager(SC_MANAGER_CONNECT, manager =>
    withService(manager, name, access, service => {
      use(service)
      return true
    }),
  )
  existing(name, done)
}

function existing(name: string, done: boolean | undefined): void {
  if (!done) throw new UserError(`There is no service ${name}. Make it: onec-agent service install`)
}

export function withManager<R>(access: number, use: (manager: Handle) => R): R {
  const manager = openManager(null, null, access)
  if (!manager) throw failure('OpenSCManagerW')
  try {
    return use(manager)
  } finally {
    closeService(manager)
  }
}

/** Undefined when there is no such service. */
export function withService<R>(
  manager: Handle,
  name: string,
  access: number,
  use: (service: Handle) => R,
): R | undefined {
  const service = openService(manager, name, access)
  if (!service) {
    const error = failure('OpenServiceW')
    if (error instanceof WindowsError && error.errorCode === ERROR_SERVICE_DOES_NOT_EXIST) return undefined
    throw error
  }
  try {
    return use(service)
  } finally {
    closeService(service)
  }
}

/** A level that this Windows (or wine) does not know leaves its default in force. */
function setLevel(service: Handle, level: keyof typeof CONFIG, info: Buffer): void {
  if (!changeConfig2(service, CONFIG[level], info)) checkBut(level, ERROR_INVALID_LEVEL)
}

function check(call: string, done: number): void {
  if (!done) throw failure(call)
}

/** Throws unless the call failed for something `harmless`. */
function checkBut(call: string, ...harmless: readonly number[]): void {
  const code = lastError()
  if (!harmless.includes(code)) throw failure(call, code)
}

/** Why Windows starts no program is for a person to put right: a virus scanner, a policy. */
function explainStart(code: number): void {
  if (code === ERROR_SERVICE_ALREADY_RUNNING) return
  const error = failure('StartServiceW', code)
  if (error instanceof UserError) throw error
  throw new UserError(
    `Windows did not start the service. ${error.message}. A virus scanner or a policy may hold the program: let it run, then: net start onec-agent`,
  )
}

function failure(call: string, code = lastError()): UserError | WindowsError {
  if (code === ERROR_ACCESS_DENIED) return new UserError('Services are for administrators: run this as administrator.')
  if (code === ERROR_SERVICE_MARKED_FOR_DELETE) return new BeingDeletedError()
  if (code === ERROR_SERVICE_DATABASE_LOCKED) return new DatabaseLockedError()
  return new WindowsError(call, code)
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
