import { describe, expect, it } from 'vitest'
import { readLocale } from '../../agent/config.ts'
import { languageOfId, languageOfLocale } from '../../agent/language.ts'

describe('the language of messages', () => {
  it.each([
    ['ru_RU.UTF-8', 'ru'],
    ['ru', 'ru'],
    ['RU-ru', 'ru'],
    ['ru_RU.utf8@variant', 'ru'],
    ['ru_RU.KOI8-R', 'en'],
    ['ru_RU.CP1251', 'en'],
    ['run', 'en'],
    ['en_US.UTF-8', 'en'],
    ['C', 'en'],
    ['', 'en'],
  ])('of the locale "%s" is %s', (locale, language) => expect(languageOfLocale(locale)).toBe(language))

  it('of Windows is the primary one of its LANGID, whatever the country', () => {
    expect([0x0419, 0x0819, 0x0409, 0].map(languageOfId)).toEqual(['ru', 'ru', 'en', 'en'])
  })

  it('is taken from LC_ALL, then LC_MESSAGES, then LANG', () => {
    expect(readLocale({ LANG: 'en_US', LC_MESSAGES: 'ru_RU' })).toBe('ru_RU')
    expect(readLocale({ LANG: 'ru_RU', LC_ALL: 'C' })).toBe('C')
    expect(readLocale({})).toBe('')
  })
})
