import type { LOG_ENCODINGS } from '../../shared/host-config.ts'

export type Encoding = (typeof LOG_ENCODINGS)[number]

/** `sure` is false while there is too little text to hold on to the answer. */
export interface Guess {
  readonly encoding: Encoding
  readonly sure: boolean
}

/** So many Russian letters tell cp1251 from cp866 for good. */
const SURE_LETTERS = 20

/** Up to this share of what is not ASCII may be damaged in a file that is UTF-8 all the same. */
const DAMAGED_SHARE = 0.02

/**
 * The encoding of a sample: its byte order mark, else the zero bytes of UTF-16, else UTF-8 when it is valid (a torn
 * character at either end does not count), else the one of cp1251 and cp866 whose reading looks more like Russian.
 */
export function guessEncoding(sample: Uint8Array): Guess {
  const marked = byteOrderMark(sample)
  if (marked) return { encoding: marked, sure: true }
  const wide = guessWide(sample)
  if (wide) return { encoding: wide, sure: true }
  const foreign = sample.reduce((count, byte) => count + (byte >= 0x80 ? 1 : 0), 0)
  if (foreign === 0) return { encoding: 'utf-8', sure: false }
  const utf8 = checkUtf8(sample)
  if (utf8 !== 'no') return { encoding: 'utf-8', sure: utf8 === 'yes' }
  const scores = { cp1251: russianScore(decode(sample, 'cp1251')), cp866: russianScore(decode(sample, 'cp866')) }
  const encoding = scores.cp866 > scores.cp1251 ? 'cp866' : 'cp1251'
  return { encoding, sure: foreign >= SURE_LETTERS }
}

function byteOrderMark([first, second, third]: Uint8Array): Encoding | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  return undefined
}

/** In UTF-16 the high bytes of Latin and Cyrillic letters are 00 and 04, and all on one side. */
function guessWide(sample: Uint8Array): Encoding | undefined {
  const pairs = Math.floor(sample.length / 2)
  if (pairs < 4) return undefined
  const high = [0, 0]
  const zero = [0, 0]
  for (let index = 0; index < pairs * 2; index++) {
    const side = index % 2
    if (sample[index] === 0) zero[side] = (zero[side] ?? 0) + 1
    if (sample[index] === 0 || sample[index] === 4) high[side] = (high[side] ?? 0) + 1
  }
  const most = pairs * 0.7
  const few = pairs * 0.1
  const [evenHigh = 0, oddHigh = 0] = high
  const [evenZero = 0, oddZero = 0] = zero
  if (oddHigh >= most && oddZero > 0 && evenHigh <= few) return 'utf-16le'
  if (evenHigh >= most && evenZero > 0 && oddHigh <= few) return 'utf-16be'
  return undefined
}

/** `torn`: all that is not ASCII is half a character at the end. */
function checkUtf8(sample: Uint8Array): 'yes' | 'torn' | 'no' {
  let start = 0
  // The sample may begin inside a character.
  while (start < 3 && ((sample[start] ?? 0) & 0xc0) === 0x80) start++
  const text = new TextDecoder().decode(sample.subarray(start), { stream: true })
  const foreign = text.match(/[^\x00-\x7f]/gu) ?? []
  if (foreign.length === 0) return start === 0 ? 'torn' : 'no'
  const damaged = foreign.filter(character => character === '\ufffd').length
  return damaged <= foreign.length * DAMAGED_SHARE ? 'yes' : 'no'
}

/** Share of each letter in Russian text, per mille (Национальный корпус русского языка, rounded). */
const LETTER_SHARE: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries({
    ...{ о: 110, е: 85, а: 80, и: 74, н: 67, т: 63, с: 55, р: 47, в: 45, л: 43, к: 35, м: 32, д: 30, п: 28, у: 26 },
    ...{ я: 20, ы: 19, ь: 17, г: 17, з: 16, б: 16, ч: 15, й: 12, х: 10, ж: 9, ш: 7, ю: 6, ц: 5, щ: 4, э: 3, ф: 3 },
    ...{ ъ: 1, ё: 1 },
  }),
)

/** How Russian a text looks, per character that is not ASCII: letters by their share, anything else speaks against it. */
function russianScore(text: string): number {
  let score = 0
  let count = 0
  let before = ''
  for (const character of text) {
    if (character > '\x7f') {
      count++
      const share = LETTER_SHARE[character.toLowerCase()]
      if (share !== undefined) score += Math.log(share)
      else if (!'«»№–—…°“”'.includes(character)) score -= 6
      // "приВЕТ": a capital after a small letter is what the wrong table makes.
      if (/\p{Lu}/u.test(character) && /\p{Ll}/u.test(before)) score -= 4
    }
    before = character
  }
  return count === 0 ? 0 : score / count
}

const LABELS: Readonly<Record<Encoding, string>> = {
  'utf-8': 'utf-8',
  'utf-16le': 'utf-16le',
  'utf-16be': 'utf-16be',
  cp866: 'ibm866',
  cp1251: 'windows-1251',
}

const decoders = new Map<Encoding, TextDecoder>()

/** Whole characters as text; a byte order mark at the front goes, what is damaged becomes U+FFFD. */
export function decode(bytes: Uint8Array, encoding: Encoding): string {
  let decoder = decoders.get(encoding)
  if (!decoder) {
    decoder = new TextDecoder(LABELS[encoding])
    decoders.set(encoding, decoder)
  }
  return decoder.decode(bytes)
}

/** Bytes of the smallest character. */
export const unitBytes = (encoding: Encoding): 1 | 2 => (encoding.startsWith('utf-16') ? 2 : 1)
