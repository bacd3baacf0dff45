/** Characters of an id, and of a DNS label: it is in tokens, URLs and object names. */
export const TENANT_ID = /^[a-z0-9][a-z0-9-]{0,31}$/
const MAX_CHARS = 32

/** Russian letter by letter (х kh, ц ts, щ shch), with the Ukrainian and Belarusian ones. */
const LATIN = new Map(
  (
    'а=a б=b в=v г=g д=d е=e ё=e ж=zh з=z и=i й=y к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=kh ц=ts ч=ch ш=sh ' +
    'щ=shch ъ= ы=y ь= э=e ю=yu я=ya і=i ї=yi є=ye ґ=g ў=u'
  )
    .split(' ')
    .map(pair => [pair.charAt(0), pair.slice(2)] as const),
)

/** An ASCII id out of a name in any script: `ООО Ромашка` gives `ooo-romashka`; `fallback` when nothing is left. */
export function slug(name: string, fallback: string): string {
  const latin = Array.from(name.normalize('NFC').toLowerCase(), letter => LATIN.get(letter) ?? letter).join('')
  const ascii = latin
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
  return ascii.slice(0, MAX_CHARS).replace(/-+$/, '') || fallback
}

/** The first of `base`, `base-2`, `base-3`, … that is not taken, never longer than an id may be. */
export function firstFree(base: string, taken: (id: string) => boolean): string {
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? '' : `-${number}`
    const id = base.slice(0, MAX_CHARS - suffix.length).replace(/-+$/, '') + suffix
    if (!taken(id)) return id
  }
}
