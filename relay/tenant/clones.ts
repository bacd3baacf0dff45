/** Where a batch came from: the spool's id, and the start of the boot's, which is what two full copies differ in. */
export type Origin = readonly [spoolId: string, bootId: string]

/** A copy that is kept out: by its spool, or (bootId not null) by its boot, where it has the spool of the original. */
export interface Clone {
  readonly spoolId: string
  readonly bootId: string | null
}

/** Changes of origin that are remembered: two machines show after four, six that take turns after eight. */
const MAX_ORIGINS = 8
/** Copies that are remembered; a further one pushes out the oldest, which then shows again. */
const MAX_CLONES = 16
/** As much of a boot id as tells two boots apart; a checkpoint may have eight for each of 1,000 hosts. */
const BOOT_ID_CHARS = 8
/** Without the kernel's own id a boot is named by its minute, which may be read a little different the next time. */
const SAME_BOOT_MINUTES = 5

type Source = { readonly spool: { readonly id: string }; readonly agent: { readonly bootId: string } }

export interface Origins {
  /** Where batches came from, as often as that changed, oldest first. */
  readonly origins: readonly Origin[]
  readonly clones: readonly Clone[]
}

/** Whether a post comes from a copy that is kept out. */
export function isClone(clones: readonly Clone[], source: Source): boolean {
  return clones.some(clone => isOf(clone, originOf(source)))
}

/**
 * What is known after a batch. A change of origin is an entry of the history. One change alone is a spool made anew or a
 * reboot, and coming back once is a restored machine; only when two of them each came back after the other are there two
 * machines. The one seen first stays; whoever else came back is a copy, and out of the history.
 */
export function afterOrigin(known: Origins, source: Source): Origins {
  const origins = withoutRepeats([...known.origins, originOf(source)]).slice(-MAX_ORIGINS)
  if (origins.length === known.origins.length && origins[0] === known.origins[0]) return known
  const found = copiesIn(origins)
  if (found.length === 0) return { origins, clones: known.clones }
  return {
    origins: withoutRepeats(origins.filter(origin => !found.some(clone => isOf(clone, origin)))),
    clones: [...known.clones, ...found].slice(-MAX_CLONES),
  }
}

function copiesIn(origins: readonly Origin[]): Clone[] {
  const [, ...copiedSpools] = returned(origins.map(([spoolId]) => spoolId))
  if (copiedSpools.length > 0) return copiedSpools.map(spoolId => ({ spoolId, bootId: null }))
  const spoolId = origins.at(-1)?.[0] ?? ''
  const boots = origins.filter(([id]) => id === spoolId).map(([, bootId]) => bootId)
  const [, ...copiedBoots] = returned(boots.map(bootId => boots.find(other => sameBoot(other, bootId)) ?? bootId))
  return copiedBoots.map(bootId => ({ spoolId, bootId }))
}

/** Those that come back after something else, in the order in which they were first seen. */
function returned(history: readonly string[]): string[] {
  const runs = history.filter((id, index) => index === 0 || history[index - 1] !== id)
  return [...new Set(runs)].filter(id => runs.indexOf(id) !== runs.lastIndexOf(id))
}

function originOf({ spool, agent }: Source): Origin {
  return [spool.id, agent.bootId.replace(/^boot-/, '').slice(0, BOOT_ID_CHARS)]
}

function isOf({ spoolId, bootId }: Clone, [spool, boot]: Origin): boolean {
  return spoolId === spool && (bootId === null || sameBoot(bootId, boot))
}

function withoutRepeats(origins: readonly Origin[]): Origin[] {
  return origins.filter(([spoolId, bootId], index) => {
    const before = origins[index - 1]
    return !before || before[0] !== spoolId || !sameBoot(before[1], bootId)
  })
}

function sameBoot(one: string, other: string): boolean {
  if (one === other) return true
  return /^\d+$/.test(one) && /^\d+$/.test(other) && Math.abs(Number(one) - Number(other)) <= SAME_BOOT_MINUTES
}
