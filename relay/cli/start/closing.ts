/** What was opened, to be closed in the opposite order, whatever happened in between. */
export interface Closing {
  /** `name` is told when it is closed; without one it happens silently. */
  add(close: () => Promise<void>, name?: string): void
  /** Closes everything, also after one of them failed; rejects with the first failure. */
  closeAll(): Promise<void>
}

export function closing(say: (line: string) => void): Closing {
  const open: { close: () => Promise<void>; name: string | undefined }[] = []
  return {
    add: (close, name) => void open.push({ close, name }),
    async closeAll() {
      const failures: unknown[] = []
      for (let last = open.pop(); last; last = open.pop()) {
        if (last.name !== undefined) say(`Stopping the ${last.name}.`)
        await last.close().catch(error => failures.push(error))
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}
