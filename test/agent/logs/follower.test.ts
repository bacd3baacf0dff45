import {
  appendFileSync,
  closeSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ENCODINGS, encode } from './bytes.ts'
import { entriesOf, Following } from './following.ts'

let following: Following

beforeEach(() => {
  following = new Following()
  following.config.logFiles = [{ path: following.at('бэкап.log') }]
})
afterEach(() => following.remove())

const at = (...names: string[]) => following.at(...names)
const add = (name: string, ...lines: string[]) => appendFileSync(at(name), lines.map(line => `${line}\n`).join(''))
const follow = (path: string, more = {}) => {
  following.config.logFiles = [{ path: at(path), ...more }]
}

describe('beginning', () => {
  it('is at the end of a file that is there, and at the start of one that comes', async () => {
    add('бэкап.log', 'старая')
    expect(await following.texts()).toEqual([])
    add('бэкап.log', '2024 новая', 'ещё одна')
    expect(await following.texts()).toEqual(['2024 новая', 'ещё одна'])
    follow('позже.log')
    expect(await following.texts()).toEqual([])
    expect(following.view('позже.log')?.problem?.code).toBe('no_file')
    add('позже.log', 'первая')
    expect(await following.texts()).toEqual(['первая'])
    expect(following.view('позже.log')?.problem).toBeNull()
  })

  it('is at the start of all when that is wished', async () => {
    follow('бэкап.log', { from: 'start' })
    add('бэкап.log', 'старая')
    expect(await following.texts()).toEqual(['старая'])
  })

  it('gives level, file, and time', async () => {
    await following.poll()
    add('бэкап.log', '2024-01-01 12:00:00,123 - ERROR - Ошибка')
    const own = new Date(following.nowMs + 30_000)
    const pad = (value: number, width = 2) => String(value).padStart(width, '0')
    const text = `${own.getFullYear()}-${pad(own.getMonth() + 1)}-${pad(own.getDate())} ${pad(own.getHours())}:${pad(own.getMinutes())}:${pad(own.getSeconds())},${pad(own.getMilliseconds(), 3)} - INFO - готово`
    add('бэкап.log', text)
    const [old, fresh] = await following.poll()
    expect(old).toEqual({
      atMs: following.nowMs,
      level: 'error',
      message: '2024-01-01 12:00:00,123 - ERROR - Ошибка',
      fields: { file: at('бэкап.log') },
    })
    expect(fresh?.level).toBe('info')
    expect(fresh?.atMs).toBeGreaterThanOrEqual(own.getTime())
  })

  it('says what no file can be followed for', async () => {
    following.config.logFiles = [{ path: 'logs/относительный.log' }]
    await following.poll()
    expect(following.follower.views).toMatchObject([
      { path: 'logs/относительный.log', problem: { code: 'relative_path' } },
    ])
  })
})

describe.each(ENCODINGS)('%s', encoding => {
  it('is read line by line, its encoding found out or told', async () => {
    const lines = ['2024-01-01 12:00:00 - ERROR - Ошибка архивации базы Зарплата', 'Ёлка № 5, резервная копия создана']
    for (const told of [undefined, encoding]) {
      following.remove()
      following = new Following()
      follow('журнал.log', told && { encoding: told })
      await following.poll()
      const bytes = encode(lines.map(line => `${line}\r\n`).join(''), encoding)
      appendFileSync(at('журнал.log'), bytes.subarray(0, 75))
      const first = await following.texts()
      appendFileSync(at('журнал.log'), bytes.subarray(75))
      expect([...first, ...(await following.texts())]).toEqual(lines)
      expect(following.view('журнал.log')).toMatchObject({ encoding, offset: bytes.length, entriesSpooled: 2 })
    }
  })
})

describe('rotation', () => {
  beforeEach(async () => {
    add('бэкап.log', 'до начала')
    await following.poll()
    add('бэкап.log', 'один')
    expect(await following.texts()).toEqual(['один'])
    add('бэкап.log', 'два')
  })

  it('by rename and a new file: the rest of the old one, and the new one', async () => {
    renameSync(at('бэкап.log'), at('бэкап.log.1'))
    add('бэкап.log', 'три')
    expect(await following.texts()).toEqual(['два', 'три'])
    // Who wrote it may hold it open for a while.
    add('бэкап.log.1', 'ещё в старый')
    add('бэкап.log', 'четыре')
    expect(await following.texts()).toEqual(['ещё в старый', 'четыре'])
    renameSync(at('бэкап.log.1'), at('бэкап.log.2'))
    renameSync(at('бэкап.log'), at('бэкап.log.1'))
    add('бэкап.log', 'пять')
    expect(await following.texts()).toEqual(['пять'])
  })

  it('by rename, before the new file is there', async () => {
    renameSync(at('бэкап.log'), at('бэкап.log.1'))
    expect(await following.texts()).toEqual(['два'])
    add('бэкап.log', 'три')
    expect(await following.texts()).toEqual(['три'])
  })

  it('while no agent ran', async () => {
    renameSync(at('бэкап.log'), at('бэкап.log.1'))
    add('бэкап.log', 'три')
    following.pass(7 * 3_600_000)
    following.start()
    expect(await following.texts()).toEqual(['два', 'три'])
  })

  it('by a name that the pattern means as well', async () => {
    follow('*.log')
    await following.poll()
    add('бэкап.log', 'три')
    renameSync(at('бэкап.log'), at('бэкап-1.log'))
    add('бэкап.log', 'четыре')
    expect(await following.texts()).toEqual(['три', 'четыре'])
    expect(await following.texts()).toEqual([])
  })

  it('by copy and truncation, smaller than before', async () => {
    expect(await following.texts()).toEqual(['два'])
    copyFileSync(at('бэкап.log'), at('бэкап.log.1'))
    truncateSync(at('бэкап.log'))
    add('бэкап.log', 'три')
    expect(await following.texts()).toEqual(['три'])
  })

  it('by truncation, and grown beyond where it was read to', async () => {
    expect(await following.texts()).toEqual(['два'])
    truncateSync(at('бэкап.log'))
    add('бэкап.log', 'три', 'x'.repeat(500))
    expect(await following.texts()).toEqual(['три', 'x'.repeat(500)])
  })

  it('by truncation to nothing, under a writer that goes on where it was', async () => {
    await following.poll()
    const { length } = readFileSync(at('бэкап.log'))
    writeFileSync(at('бэкап.log'), Buffer.concat([Buffer.alloc(length), Buffer.from('три\n')]))
    expect(await following.texts()).toEqual(['три'])
  })

  it('by a new dated name', async () => {
    follow('день-*.log')
    add('день-01.log', 'вчера')
    expect(await following.texts()).toEqual([])
    add('день-01.log', 'вчера поздно')
    add('день-02.log', 'сегодня')
    expect(await following.texts()).toEqual(['вчера поздно', 'сегодня'])
  })

  it('while lines wait in their files, however long', async () => {
    following.room = false
    for (let minute = 0; minute < 90; minute++) await following.poll()
    renameSync(at('бэкап.log'), at('бэкап.log.1'))
    add('бэкап.log', 'три')
    await following.poll()
    following.room = true
    expect(await following.texts()).toEqual(['два', 'три'])
  })

  it('between two looks that are an hour apart', async () => {
    following.config.intervalMs = 3_600_000
    renameSync(at('бэкап.log'), at('бэкап.log.1'))
    add('бэкап.log', 'три')
    following.pass(3_600_000)
    expect(await following.texts()).toEqual(['два', 'три'])
  })

  it('while the clock is put on by a year, and back again', async () => {
    const year = 365 * 86_400_000
    following.nowMs += year
    renameSync(at('бэкап.log'), at('бэкап.log.1'))
    add('бэкап.log', 'три')
    expect(await following.texts()).toEqual(['два', 'три'])
    following.nowMs -= year
    add('бэкап.log.1', 'ещё в старый')
    renameSync(at('бэкап.log.1'), at('бэкап.log.2'))
    expect(await following.texts()).toEqual(['ещё в старый'])
  })

  it('by packing: what is packed is left alone', async () => {
    follow('бэкап.log*')
    await following.poll()
    renameSync(at('бэкап.log'), at('бэкап.log.1.gz'))
    expect(await following.texts()).toEqual([])
    add('бэкап.log.1.gz', 'сжатое')
    add('бэкап.log', 'три')
    expect(await following.texts()).toContain('три')
  })

  it('by deletion, and the same name later', async () => {
    await following.poll()
    rmSync(at('бэкап.log'))
    expect(await following.texts()).toEqual([])
    expect(following.view('бэкап.log')?.problem?.code).toBe('no_file')
    add('бэкап.log', 'снова')
    expect(await following.texts()).toEqual(['снова'])
  })

  it('by another file that has the same number', async () => {
    await following.poll()
    writeFileSync(at('бэкап.log'), `${'совсем другое начало'.repeat(3)}\n`)
    expect(await following.texts()).toEqual(['совсем другое начало'.repeat(3)])
  })

  it('by copying back: a file of another number with the same beginning is the same', async () => {
    add('бэкап.log', 'x'.repeat(100))
    await following.poll()
    const bytes = readFileSync(at('бэкап.log'))
    writeFileSync(at('копия'), Buffer.concat([bytes, Buffer.from('после\n')]))
    rmSync(at('бэкап.log'))
    renameSync(at('копия'), at('бэкап.log'))
    expect(await following.texts()).toEqual(['после'])
  })
})

describe('an unfinished end', () => {
  it('waits for its line end, and not for ever', async () => {
    await following.poll()
    appendFileSync(at('бэкап.log'), 'пол')
    expect(await following.texts()).toEqual([])
    appendFileSync(at('бэкап.log'), 'ная\nнедо')
    expect(await following.texts()).toEqual(['полная'])
    expect(await following.texts()).toEqual(['недо'])
    appendFileSync(at('бэкап.log'), 'писанная\n')
    expect(await following.texts()).toEqual(['писанная'])
  })

  it('of a stack trace that is being written waits for the rest', async () => {
    await following.poll()
    const name = at('бэкап.log')
    appendFileSync(name, 'ERROR раз\n  at a\n')
    utimesSync(name, new Date(), new Date(following.nowMs + 60_000))
    expect(await following.texts()).toEqual([])
    appendFileSync(name, '  at b\nINFO два\n')
    utimesSync(name, new Date(), new Date(following.nowMs))
    expect(await following.texts()).toEqual(['ERROR раз\n  at a\n  at b', 'INFO два'])
  })

  it('that is room for what comes is left until it is filled', async () => {
    await following.poll()
    const handle = openSync(at('бэкап.log'), 'w')
    const put = (text: string, after: string) => writeSync(handle, text, Buffer.byteLength(after))
    truncateSync(at('бэкап.log'), 60_000)
    put('один\n', '')
    expect(await following.texts()).toEqual(['один'])
    put('два\n', 'один\n')
    expect(await following.texts()).toEqual(['два'])
    truncateSync(at('бэкап.log'), 1_000)
    put('три\n', 'один\nдва\n')
    expect(await following.texts()).toEqual(['три'])
    closeSync(handle)
    truncateSync(at('бэкап.log'), Buffer.byteLength('один\nдва\nтри\n'))
    expect(await following.texts()).toEqual([])
  })

  it('of a line that is longer than one look reads is passed over', async () => {
    await following.poll()
    appendFileSync(at('бэкап.log'), `${'x'.repeat(9 << 20)}\nследующая\n`)
    const texts: string[] = []
    for (let minute = 0; minute < 4; minute++) texts.push(...(await following.texts()))
    expect(texts.map(text => text.slice(-16))).toEqual(['xxxxxxxx … [cut]', 'следующая'])
  })

  it('of a line that is too long is cut with a mark, and its rest passed over', async () => {
    await following.poll()
    const letters = Array.from({ length: 60_000 }, (_, index) => String.fromCharCode(0x430 + (index % 32))).join('')
    appendFileSync(at('бэкап.log'), letters)
    const [entry, ...others] = await following.poll()
    expect(others).toEqual([])
    expect(entry?.message.endsWith(' … [cut]')).toBe(true)
    expect(Buffer.byteLength(entry?.message ?? '')).toBeLessThanOrEqual(64 * 1024)
    appendFileSync(at('бэкап.log'), 'всё ещё она\nследующая\n')
    expect(await following.texts()).toEqual(['следующая'])
  })
})

describe('a restart', () => {
  beforeEach(async () => {
    await following.poll()
    add('бэкап.log', 'один')
  })

  it('goes on where it was', async () => {
    expect(await following.texts()).toEqual(['один'])
    add('бэкап.log', 'два')
    following.start()
    expect(await following.texts()).toEqual(['два'])
  })

  it('after a kill before the append has lost nothing', async () => {
    expect(entriesOf(await following.look()).map(entry => entry.message)).toEqual(['один'])
    following.start()
    expect(await following.texts()).toEqual(['один'])
  })

  it('after a kill between append and commit repeats nothing', async () => {
    const parcels = await following.look()
    expect(entriesOf(parcels)).toHaveLength(1)
    following.start(parcels.at(-1)?.item.logs)
    add('бэкап.log', 'два')
    expect(await following.texts()).toEqual(['два'])
    following.start(parcels.at(-1)?.item.logs)
    add('бэкап.log', 'три')
    expect(await following.texts()).toEqual(['три'])
  })

  it('after a kill between append and commit of several items repeats nothing of either file', async () => {
    follow('*.log', { maxLinesPerMinute: 6_000 })
    await following.poll()
    add('бэкап.log', 'два')
    add(
      'другой.log',
      ...Array.from({ length: 400 }, (_, index) => `${index} ${Math.sin(index)} ${Math.cos(index * 7)}`),
    )
    const parcels = await following.look()
    expect(parcels.length).toBeGreaterThan(2)
    const texts = entriesOf(parcels).map(entry => entry.message)
    expect(texts).toContain('два')
    following.start(parcels.at(-1)?.item.logs)
    expect(await following.texts()).toEqual([])
    add('бэкап.log', 'три')
    expect(await following.texts()).toEqual(['три'])
  })

  it('with a damaged state begins as the first time', async () => {
    await following.poll()
    writeFileSync(following.stateFile, '{"revision":')
    following.start()
    expect(await following.texts()).toEqual([])
    add('бэкап.log', 'два')
    expect(await following.texts()).toEqual(['два'])
  })

  it('carries positions in the next item for as long as they cannot be written', async () => {
    await following.poll()
    rmSync(following.stateFile)
    mkdirSync(following.stateFile)
    add('бэкап.log', 'два')
    await following.poll()
    add('бэкап.log', 'три')
    const parcels = await following.look()
    following.follower.commit(parcels)
    expect(following.said.join()).toContain('positions of log files cannot be written')
    rmSync(following.stateFile, { recursive: true })
    const [item] = parcels
    following.start(item?.item.logs)
    add('бэкап.log', 'четыре')
    expect(await following.texts()).toEqual(['четыре'])
  })

  it('begins anew, and says so, when they cannot be read', async () => {
    await following.poll()
    rmSync(following.stateFile)
    mkdirSync(following.stateFile)
    following.start()
    expect(following.said.join()).toContain('positions of log files cannot be read')
    add('бэкап.log', 'до первого взгляда')
    expect(await following.texts()).toEqual([])
    add('бэкап.log', 'после')
    expect(await following.texts()).toEqual(['после'])
  })
})

describe('the technological log of 1C', () => {
  it('is known by name and content, an event is one entry, each folder is followed', async () => {
    follow('логи/**/*.log')
    mkdirSync(at('логи', 'rphost_1'), { recursive: true })
    mkdirSync(at('логи', 'rphost_2'), { recursive: true })
    await following.poll()
    const hour = new Date(following.nowMs)
    const pad = (value: number) => String(value).padStart(2, '0')
    const name = `${pad(hour.getFullYear() % 100)}${pad(hour.getMonth() + 1)}${pad(hour.getDate())}${pad(hour.getHours())}.log`
    const minute = pad(hour.getMinutes())
    const first = `${minute}:00.000001-0,EXCP,2,process=rphost,p:processName=Бухгалтерия,Descr='Ошибка\n\nPwd=секрет1;',Context='\nФорма : 1'`
    const second = `${minute}:00.500000-15,CALL,1,process=rphost,Usr=Иванов`
    writeFileSync(at('логи', 'rphost_1', name), `\ufeff${first}\r\n${second}\r\n`)
    writeFileSync(at('логи', 'rphost_2', name), '\ufeff')
    const entries = await following.poll()
    expect(entries.map(entry => entry.level)).toEqual(['error', 'debug'])
    expect(entries[0]).toMatchObject({
      message: first.replace('секрет1', '***'),
      fields: {
        event: 'EXCP',
        p_processName: 'Бухгалтерия',
        Descr: 'Ошибка\n\nPwd=***;',
        file: at('логи', 'rphost_1', name),
      },
    })
    hour.setSeconds(0, 0)
    expect(entries[0]?.atMs).toBe(hour.getTime())
    expect(entries[1]?.atMs).toBe(hour.getTime() + 500)
  })
})

describe('bounds', () => {
  it('of a file’s rate: what is over is left out and told, and errors come through chatter', async () => {
    follow('бэкап.log', { maxLinesPerMinute: 10 })
    await following.poll()
    const chatter = Array.from({ length: 30 }, (_, index) => `INFO строка ${index}`)
    add('бэкап.log', ...chatter, 'ERROR важное', 'ещё', 'конец')
    const texts = await following.texts()
    expect(texts).toEqual([...chatter.slice(0, 8), 'ERROR важное', '24 entries were left out: over 10 a minute'])
    expect(following.view('бэкап.log')).toMatchObject({ entriesSpooled: 9, entriesLeftOut: 24 })
    add('бэкап.log', 'дальше')
    expect(await following.texts()).toEqual(['дальше'])
    expect(following.follower.totals).toMatchObject({ entriesSpooled: 10, entriesLeftOut: 24 })
  })

  it('of the level: what is below is not shipped and not missed', async () => {
    follow('бэкап.log', { level: 'warn' })
    await following.poll()
    add('бэкап.log', 'INFO a', 'WARN b', 'просто', '[ERROR] c')
    expect(await following.texts()).toEqual(['WARN b', '[ERROR] c'])
  })

  it('of all files together: what does not fit waits in its file, in order', async () => {
    follow('бэкап.log', { maxLinesPerMinute: 6_000 })
    await following.poll()
    // Random enough that some hundred lines fill an item.
    const lines = Array.from({ length: 3_000 }, (_, index) => `INFO ${index} ${Math.sin(index)} ${Math.cos(index * 7)}`)
    add('бэкап.log', ...lines)
    const found: string[] = []
    const counts: number[] = []
    for (let round = 0; round < 12 && found.length < lines.length; round++) {
      const texts = await following.texts()
      counts.push(texts.length)
      found.push(...texts)
    }
    expect(found).toEqual(lines)
    expect(counts.length).toBeGreaterThan(2)
  })

  it.each([
    ['path', ['шум.log', 'бэкап.log'], ''],
    ['pattern', ['*.log'], ''],
    ['path, more text than is read', ['шум.log', 'бэкап.log'], 'очень длинно '.repeat(25)],
    ['pattern, more text than is read', ['*.log'], 'очень длинно '.repeat(25)],
  ])('of all files together: one that always fills it leaves the others their turn (%s)', async (_, paths, long) => {
    following.config.logFiles = paths.map(path => ({ path: at(path), maxLinesPerMinute: 6_000 }))
    add('шум.log', 'начало')
    await following.poll()
    add('бэкап.log', 'ERROR важное')
    const texts: string[] = []
    for (let minute = 0; minute < 3; minute++) {
      add(
        'шум.log',
        ...Array.from({ length: 4_000 }, (_, index) => `${minute} ${Math.sin(index)} ${Math.cos(index * 7)}${long}`),
      )
      texts.push(...(await following.texts()))
    }
    expect(texts).toContain('ERROR важное')
  })

  it('of what is unread: a file that runs away is gone on with near its end', async () => {
    await following.poll()
    const line = Buffer.from(`INFO ${'x'.repeat(994)}\n`)
    appendFileSync(at('бэкап.log'), Buffer.concat(Array(70_000).fill(line)))
    const texts = await following.texts()
    expect(texts.at(-1)).toMatch(/left out: over 300 a minute; \d+ bytes were passed over/)
    expect(following.view('бэкап.log')).toMatchObject({ offset: 70_000_000 })
    expect(following.view('бэкап.log')?.bytesPassedOver).toBeGreaterThan(68_000_000)
  })

  it('of the spool: lines wait in their files while it has no room', async () => {
    await following.poll()
    add('бэкап.log', 'один')
    following.room = false
    expect(await following.texts()).toEqual([])
    expect(following.said.join()).toContain('wait in their files')
    following.room = true
    expect(await following.texts()).toEqual(['один'])
  })

  it('of files: the ones written last are followed', async () => {
    follow('д/**/*.log')
    mkdirSync(at('д'))
    for (let index = 0; index < 450; index++) writeFileSync(at('д', `${index}.log`), 'старая\n')
    expect(await following.texts()).toEqual([])
    writeFileSync(at('д', 'новый.log'), 'новая\n')
    expect(await following.texts()).toEqual(['новая'])
    const { files } = JSON.parse(readFileSync(following.stateFile, 'utf8'))
    expect(files.length).toBeLessThanOrEqual(401)
  })
})

describe('paths that do not answer', () => {
  it('hold up neither the snapshot nor the other paths, and what comes late counts', async () => {
    following.config.logFiles = [{ path: at('nas.log') }, { path: at('бэкап.log') }]
    const { disk } = following
    await following.poll()
    let answer: () => void = () => undefined
    const hanging = new Promise<void>(resolve => {
      answer = resolve
    })
    let calls = 0
    following.disk = {
      ...disk,
      async stat(path) {
        if (path !== at('nas.log')) return disk.stat(path)
        calls++
        await hanging
        return disk.stat(path)
      },
    }
    add('бэкап.log', 'один')
    add('nas.log', 'сеть')
    following.patienceMs = 300
    expect(await following.texts()).toEqual(['один'])
    add('бэкап.log', 'два')
    expect(await following.texts()).toEqual(['два'])
    expect(calls).toBe(1)
    expect(following.view('nas.log')?.problem?.code).toBe('no_answer')
    answer()
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(await following.texts()).toEqual(['сеть'])
    expect(following.view('nas.log')?.problem).toBeNull()
  })

  it('that are folders below a pattern hold up none beside them', async () => {
    follow('д/**/*.log')
    mkdirSync(at('д', 'закрыта'), { recursive: true })
    const { disk } = following
    const refuse = () => Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' }))
    following.disk = {
      ...disk,
      list: (path, limit) => (path === at('д', 'закрыта') ? refuse() : disk.list(path, limit)),
    }
    await following.poll()
    writeFileSync(at('д', 'а.log'), 'новая\n')
    expect(await following.texts()).toEqual(['новая'])
    expect(following.view('д/закрыта')?.problem).toEqual({ code: 'unreadable', detail: 'EACCES' })
  })

  it('that are files below a pattern hold up none beside them', async () => {
    follow('*.log')
    symlinkSync('петля.log', at('петля.log'))
    await following.poll()
    add('бэкап.log', 'один')
    expect(await following.texts()).toEqual(['один'])
    expect(following.view('петля.log')?.problem).toEqual({ code: 'unreadable', detail: 'ELOOP' })
  })

  it('that are folders of a rotated file stop nothing', async () => {
    await following.poll()
    add('бэкап.log', 'один')
    await following.poll()
    const { disk } = following
    const refuse = () => Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' }))
    following.disk = { ...disk, list: (path, limit) => (path === following.folder ? refuse() : disk.list(path, limit)) }
    renameSync(at('бэкап.log'), at('бэкап.log.1'))
    add('бэкап.log', 'два')
    expect(await following.texts()).toEqual(['два'])
  })

  it('that fail are said, and go on later', async () => {
    await following.poll()
    const { disk } = following
    following.disk = {
      ...disk,
      open: () => Promise.reject(Object.assign(new Error('EACCES: нельзя'), { code: 'EACCES' })),
    }
    add('бэкап.log', 'один')
    expect(await following.texts()).toEqual([])
    expect(following.view('бэкап.log')?.problem).toEqual({ code: 'unreadable', detail: 'EACCES' })
    following.disk = disk
    expect(await following.texts()).toEqual(['один'])
    expect(following.view('бэкап.log')?.problem).toBeNull()
  })
})

describe('what is followed', () => {
  it('is each file once, whatever paths mean it', async () => {
    following.config.logFiles = [{ path: at('*.log') }, { path: at('бэкап.log') }]
    following.config.backups = [{ name: 'ут', directory: following.folder }]
    await following.poll()
    add('бэкап.log', 'один')
    add('backup.log', 'два')
    symlinkSync(at('бэкап.log'), at('текущий.log'))
    expect((await following.texts()).toSorted()).toEqual(['два', 'один'])
    following.config.logFiles = [{ path: at('бэкап.log') }, { path: at('*.log') }]
    add('бэкап.log', 'три')
    expect(await following.texts()).toEqual(['три'])
    add('бэкап.log', 'четыре')
    expect(await following.texts()).toEqual(['четыре'])
  })

  it('goes on where it was when its path is written in another way', async () => {
    await following.poll()
    add('бэкап.log', 'один')
    await following.poll()
    follow('*.log')
    add('бэкап.log', 'два')
    expect(await following.texts()).toEqual(['два'])
    expect(await following.texts()).toEqual([])
  })

  it('is never the agent’s own folder, whose token is no log', async () => {
    following.config.logFiles = [{ path: at('состояние', 'token'), from: 'start' }, { path: at('**') }]
    writeFileSync(at('состояние', 'token'), 'секрет\n')
    await following.poll()
    appendFileSync(at('состояние', 'token'), 'секрет\n')
    add('бэкап.log', 'один')
    expect(await following.texts()).toEqual(['один'])
  })

  it('is nothing that a link leads to there', async () => {
    following.config.logFiles = [{ path: at('*.log'), from: 'start' }]
    mkdirSync(at('состояние', 'credentials'))
    writeFileSync(at('состояние', 'token'), 'секрет\n')
    writeFileSync(at('состояние', 'credentials', 'share-1'), 'пароль\n')
    symlinkSync(at('состояние', 'token'), at('ссылка.log'))
    linkSync(at('состояние', 'credentials', 'share-1'), at('второе имя.log'))
    add('бэкап.log', 'один')
    expect(await following.texts()).toEqual(['один'])
    rmSync(at('состояние', 'token'))
    writeFileSync(at('состояние', 'token'), 'другой секрет\n')
    add('бэкап.log', 'два')
    expect(await following.texts()).toEqual(['два'])
  })

  it('is nothing while the clock was never set', async () => {
    await following.poll()
    add('бэкап.log', 'один')
    const { nowMs } = following
    following.nowMs = Date.UTC(1980, 0, 1)
    expect(await following.texts()).toEqual([])
    following.nowMs = nowMs
    expect(await following.texts()).toEqual(['один'])
  })

  it('is the seed’s backup.log beside configured backups, unless all is turned off', async () => {
    following.config = { intervalMs: 60_000, backups: [{ name: 'ут', directory: following.folder }] }
    await following.poll()
    expect(following.follower.views, 'nobody asked for it').toEqual([])
    add('backup.log', '2024-01-01 12:00:00,123 - INFO - Backup completed')
    expect(await following.texts()).toHaveLength(1)
    following.config.logFiles = []
    add('backup.log', 'ещё')
    expect(await following.texts()).toEqual([])
    expect(following.follower.views).toEqual([])
  })
})
