import { readTextIfThere, writeFileAtomic } from '../file.ts'
import { decodeJson } from '../json.ts'
import { EMPTY_STATE, type FollowState, followState, type LogProgress } from './position.ts'

/** The state that a run begins with: the file's, and what the spool holds already when a kill came before the file was written. */
export function loadState(file: string, spooled: LogProgress | undefined): FollowState {
  const stored = followState.safeParse(decodeJson(readTextIfThere(file))).data ?? EMPTY_STATE
  return spooled && spooled.revision > stored.revision ? applyProgress(stored, spooled) : stored
}

export function applyProgress(state: FollowState, { revision, files }: LogProgress): FollowState {
  const byId = new Map(state.files.map(each => [each.id, each]))
  for (const position of files) byId.set(position.id, position)
  const nextId = Math.max(state.nextId, ...files.map(({ id }) => id + 1))
  return { ...state, revision, nextId, files: [...byId.values()] }
}

export const saveState = (file: string, state: FollowState): void => writeFileAtomic(file, JSON.stringify(state))
