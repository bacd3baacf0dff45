import { readLocale } from './config.ts'
import { foreign } from './windows/library.ts'

/** Languages of what a client's staff read. */
export type Language = 'en' | 'ru'

/** Primary language of a LANGID, winnt.h. */
const LANG_RUSSIAN = 0x19

/** The language of the person at this machine: Windows' own interface, elsewhere `LC_ALL`, `LC_MESSAGES` or `LANG`. */
export function readLanguage(): Language {
  return process.platform === 'win32' ? languageOfId(readUserInterfaceLanguage()) : languageOfLocale(readLocale())
}

/** `id`: a LANGID, whose low ten bits are the language and the others the country. */
export const languageOfId = (id: number): Language => ((id & 0x3ff) === LANG_RUSSIAN ? 'ru' : 'en')

/** `locale` as in `ru_RU.UTF-8` or `ru-RU`. A terminal of another encoding (KOI8-R, CP1251) would show Russian as noise. */
export const languageOfLocale = (locale: string): Language =>
  /^ru(?![a-z])[^.]*(\.utf-?8(@.*)?)?$/i.test(locale) ? 'ru' : 'en'

const userInterfaceLanguage = foreign<[]>('kernel32.dll', 'uint16_t GetUserDefaultUILanguage()')

/** English where it cannot be read: a message in the other language is better than none. */
function readUserInterfaceLanguage(): number {
  try {
    return userInterfaceLanguage()
  } catch {
    return 0
  }
}
