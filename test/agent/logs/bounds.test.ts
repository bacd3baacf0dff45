import { describe, expect, it } from 'vitest'
import { mostFor, refill, spend } from '../../../agent/logs/allowance.ts'
import { createLooks } from '../../../agent/logs/look.ts'
import { LOG_PROBLEM_TEXTS, LOG_PROBLEMS } from '../../../agent/logs/problem.ts'
import { filesPerPattern, logSources, MAX_FILES } from '../../../agent/logs/sources.ts'
import { CUT_MARK, cutText, fieldText } from '../../../agent/logs/text.ts'
import { utf8Length } from '../../../shared/wire.ts'

describe('an allowance', () => {
  it('begins full, is spent, and grows back with time', () => {
    const full = refill(undefined, 60, 60, 1_000)
    expect(full.left).toBe(60)
    const spent = spend(full, 50)
    expect(refill(spent, 60, 60, 11_000).left).toBe(20)
    expect(refill(spent, 60, 60, 3_600_000).left).toBe(60)
    expect(spend(spent, 999).left).toBe(0)
    expect(refill(spent, 60, 60, 0).left).toBe(10)
  })

  it('holds what comes between two snapshots that are far apart', () => {
    expect(mostFor(300, 5_000)).toBe(300)
    expect(mostFor(300, 120_000)).toBe(600)
    expect(mostFor(300, 3_600_000)).toBe(3_000)
  })
})

describe('cutText', () => {
  it('leaves what fits, and marks what does not, between characters', () => {
    expect(cutText('я'.repeat(10), 20)).toBe('я'.repeat(10))
    for (let max = 20; max < 40; max++) {
      const cut = cutText('Ж😀'.repeat(20), max)
      expect(utf8Length(cut)).toBeLessThanOrEqual(max)
      expect(cut.endsWith(CUT_MARK)).toBe(true)
      expect(cut).not.toContain('\ufffd')
      expect(cut.isWellFormed()).toBe(true)
    }
    expect(cutText('короткая', 100, true)).toBe(`короткая${CUT_MARK}`)
  })

  it('keeps a field whole in its characters', () => {
    expect(fieldText(`${'x'.repeat(1023)}😀`)).toBe('x'.repeat(1023))
    expect(fieldText('я'.repeat(2000))).toHaveLength(1024)
  })
})

describe('logSources', () => {
  const sources = (config: Parameters<typeof logSources>[0], windows = true) =>
    logSources(config, windows).map(each => each.path)

  it('adds the log of the guide in every backup folder, unless it is there already', () => {
    const backups = [{ name: 'a', directory: 'D:\\Бэкапы\\' }, { name: 'b' }, { name: 'c', directory: 'd:\\бэкапы' }]
    expect(sources({ backups })).toEqual(['D:\\Бэкапы\\backup.log'])
    const logFiles = [{ path: 'd:/бэкапы/BACKUP.log', level: 'warn' as const }]
    expect(logSources({ backups, logFiles }, true)).toEqual(logFiles)
    expect(sources({ backups: [{ name: 'a', directory: '/бэкап' }] }, false)).toEqual(['/бэкап/backup.log'])
  })

  it('is nothing when the list is empty', () => {
    expect(sources({ logFiles: [], backups: [{ name: 'a', directory: 'D:\\' }] })).toEqual([])
    expect(sources({})).toEqual([])
  })

  it('shares the files that may be followed', () => {
    const path = (name: string) => ({ path: name })
    expect(filesPerPattern([path('/a/*.log')])).toBe(MAX_FILES)
    expect(filesPerPattern([path('/a/*.log'), path('/b/**/*.log'), path('/c.log'), path('/d.log')])).toBe(199)
    expect(filesPerPattern([path('/c.log')])).toBe(MAX_FILES - 1)
  })
})

describe('looks at paths', () => {
  const clock = { nowMs: () => 0, monoMs: () => 0, sleep: () => Promise.resolve() }
  const settle = () => new Promise(resolve => setTimeout(resolve, 0))
  const hanging = () => new Promise<string>(() => undefined)

  it('leave a path alone while one hangs, and all others once two do', async () => {
    const looks = createLooks<string>(clock)
    expect(await looks.look('a', hanging, 100)).toBeUndefined()
    expect(looks.isHanging('a')).toBe(true)
    let again = 0
    expect(await looks.look('a', async () => `${again++}`, 100)).toBeUndefined()
    expect(again).toBe(0)
    expect(await looks.look('b', hanging, 100)).toBeUndefined()
    expect(await looks.look('c', async () => `${again++}`, 100)).toBeUndefined()
    expect(again).toBe(0)
    expect(looks.isHanging('c')).toBe(false)
  })

  it('give what came late at the next call', async () => {
    const looks = createLooks<string>(clock)
    let answer: (text: string) => void = () => undefined
    const late = new Promise<string>(resolve => {
      answer = resolve
    })
    expect(await looks.look('a', () => late, 100)).toBeUndefined()
    answer('поздно')
    await settle()
    expect(await looks.look('a', hanging, 100)).toBe('поздно')
    expect(looks.isHanging('a')).toBe(false)
  })
})

it.each(LOG_PROBLEMS)('%s is explained in both languages', code => {
  const [en, ru] = (['en', 'ru'] as const).map(language =>
    LOG_PROBLEM_TEXTS[language][code].replace('{detail}', 'EACCES'),
  )
  expect(en).toMatch(/^[\x20-\x7e]+$/)
  expect(ru).toMatch(/[а-я]{3}/)
  expect(`${en}${ru}`).not.toMatch(/[{}]/)
})
