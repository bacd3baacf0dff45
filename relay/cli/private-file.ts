import { open, rename, rm } from 'node:fs/promises'

/** Replaces `path` as a whole, readable by its owner only and on disk when this returns. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    await writeSynced(temporary, text)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Fails with EEXIST rather than replace anything. */
export async function createPrivateFile(path: string, text: string): Promise<void> {
  await writeSynced(path, text)
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
