import { copyMemory, foreign, type Handle, readAddress, WindowsError } from '../../windows/library.ts'

/** WTS_CONNECTSTATE_CLASS of wtsapi32.h: those that matter here. */
export const ACTIVE = 0
const LISTEN = 6
const RESET = 7
const DOWN = 8
const INIT = 9

export interface ListedSession {
  readonly id: number
  readonly state: number
}

const SESSION_BYTES = 24
/** Services live in session 0 and nobody logs in there. */
const SERVICES = 0

/** WTS_SESSION_INFOW records: sessions that someone may be logged in to. Listeners and those that end are none. */
export function parseSessionList(buffer: Buffer): ListedSession[] {
  const count = Math.floor(buffer.length / SESSION_BYTES)
  const all = Array.from({ length: count }, (_, index) => ({
    id: buffer.readUInt32LE(index * SESSION_BYTES),
    state: buffer.readUInt32LE(index * SESSION_BYTES + 16),
  }))
  return all.filter(({ id, state }) => id !== SERVICES && ![LISTEN, RESET, DOWN, INIT].includes(state))
}

/** What Windows knows of sessions; each call is an RPC to the Remote Desktop service. */
export interface SessionSource {
  list(): Promise<Buffer>
  /** Text of the user's name, with a terminating zero; absent when the session has ended meanwhile. */
  userName(id: number): Promise<Buffer | undefined>
  /** The client's protocol, 16 bits. */
  protocol(id: number): Promise<Buffer | undefined>
}

const USER_NAME = 5
const CLIENT_PROTOCOL = 16

export const windowsSessions: SessionSource = {
  list: listSessions,
  userName: id => query(id, USER_NAME),
  protocol: id => query(id, CLIENT_PROTOCOL),
}

const THIS_SERVER = 0
const wtsEnumerateSessions = foreign<
  [server: number, reserved: number, version: number, sessions: Buffer, count: Buffer]
>(
  'wtsapi32.dll',
  'int WTSEnumerateSessionsW(intptr_t server, uint32_t reserved, uint32_t version, void *sessions, void *count)',
)
const wtsQuerySessionInformation = foreign<
  [server: number, session: number, kind: number, information: Buffer, bytes: Buffer]
>(
  'wtsapi32.dll',
  'int WTSQuerySessionInformationW(intptr_t server, uint32_t session, int kind, void *information, void *bytes)',
)
const wtsFreeMemory = foreign<[memory: Handle], void>('wtsapi32.dll', 'void WTSFreeMemory(intptr_t memory)')

async function listSessions(): Promise<Buffer> {
  const out = Buffer.alloc(8)
  const count = Buffer.alloc(4)
  const { result, error } = await wtsEnumerateSessions.later(THIS_SERVER, 0, 1, out, count)
  if (result === 0) throw new WindowsError('WTSEnumerateSessionsW', error)
  return take(out, count.readUInt32LE() * SESSION_BYTES)
}

const ERROR_FILE_NOT_FOUND = 2
const ERROR_CTX_WINSTATION_NOT_FOUND = 7022

async function query(id: number, kind: number): Promise<Buffer | undefined> {
  const out = Buffer.alloc(8)
  const bytes = Buffer.alloc(4)
  const { result, error } = await wtsQuerySessionInformation.later(THIS_SERVER, id, kind, out, bytes)
  if (result !== 0) return take(out, bytes.readUInt32LE())
  if (error === ERROR_FILE_NOT_FOUND || error === ERROR_CTX_WINSTATION_NOT_FOUND) return undefined
  throw new WindowsError('WTSQuerySessionInformationW', error)
}

/** Copies what Windows allocated, and gives it back. */
function take(out: Buffer, bytes: number): Buffer {
  const memory = readAddress(out)
  try {
    return copyMemory(memory, bytes)
  } finally {
    wtsFreeMemory(memory)
  }
}
