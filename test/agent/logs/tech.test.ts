import { describe, expect, it } from 'vitest'
import { parseTechEvent, startsTechEvent, techHour } from '../../../agent/logs/tech.ts'
import type { LocalClock } from '../../../agent/logs/time.ts'

const moscow: LocalClock = ({ year, month, day, hour, minute, second, ms }) =>
  Date.UTC(year, month - 1, day, hour - 3, minute, second, ms)
const FILE = 'D:\\Логи\\rphost_1234\\24010112.log'
const parse = (text: string, path = FILE) => parseTechEvent(text, path, moscow)

const EXCP = `45:31.831004-0,EXCP,2,process=rphost,p:processName=Бухгалтерия,t:clientID=451,t:applicationName=1CV8C,t:computerName=БУХ-1,t:connectID=12,SessionID=7,Usr=Иванов И.,Exception=DataBaseException,Descr='Конфликт блокировок:
Lock request time out, ''таблица'' занята
',Context='Документ.Реализация.Форма : 12 : Записать
  ОбщийМодуль.Проведение : 40 : Движения.Записать();'`

describe('parseTechEvent', () => {
  it('reads an exception whose values span lines', () => {
    expect(parse(EXCP)).toEqual({
      level: 'error',
      atMs: Date.parse('2024-01-01T09:45:31.831Z'),
      fields: {
        event: 'EXCP',
        duration_us: '0',
        process: 'rphost',
        p_processName: 'Бухгалтерия',
        t_clientID: '451',
        t_applicationName: '1CV8C',
        t_computerName: 'БУХ-1',
        t_connectID: '12',
        SessionID: '7',
        Usr: 'Иванов И.',
        Exception: 'DataBaseException',
        Descr: "Конфликт блокировок:\nLock request time out, 'таблица' занята\n",
        Context: 'Документ.Реализация.Форма : 12 : Записать\n  ОбщийМодуль.Проведение : 40 : Движения.Записать();',
      },
    })
  })

  it.each([
    ['EXCPCNTX', 'error'],
    ['TDEADLOCK', 'warn'],
    ['TTIMEOUT', 'warn'],
    ['CONN', 'info'],
    ['SESN', 'info'],
    ['DBMSSQL', 'debug'],
    ['CALL', 'debug'],
    ['НЕЧТО', undefined],
  ])('%s is %s', (event, level) => {
    expect(parse(`00:01.000001-15,${event},1,process=rphost`)?.level).toBe(level)
  })

  it('goes by the level that newer releases write', () => {
    expect(parse('00:01.000001-15,CALL,1,level=WARNING,process=rphost')?.level).toBe('warn')
  })

  it('reads double quotes, and stops at what is torn', () => {
    expect(parse(`00:01.000001-15,DBMSSQL,5,Sql="SELECT ""a"", b",Rows=5`)?.fields).toEqual({
      event: 'DBMSSQL',
      duration_us: '15',
      Rows: '5',
    })
    expect(parse(`00:01.000001-15,DBMSSQL,5,Rows=5,Context='never ends`)?.fields.Rows).toBe('5')
  })

  it('has no time in a file of another name', () => {
    expect(parse('00:01.000001-15,CALL,1,process=rphost', '/l/other.log')?.atMs).toBeUndefined()
  })

  it('is no event', () => {
    for (const text of ['', 'Context line', '2024-01-01 12:00:00 INFO x', "',Context='x'"])
      expect(parse(text), text).toBeUndefined()
  })
})

it('tells where an event starts', () => {
  expect(startsTechEvent('45:31.831004-0,EXCP,2,')).toBe(true)
  expect(startsTechEvent('45:31.8310-15,CALL,2,')).toBe(true)
  expect(startsTechEvent('45:31 EXCP')).toBe(false)
  expect(startsTechEvent(' 45:31.831004-0,EXCP,2,')).toBe(false)
})

it.each([
  ['D:\\logs\\rphost_1\\24010112.log', [2024, 1, 1, 12]],
  ['/var/log/1c/ragent_1/26123123.log', [2026, 12, 31, 23]],
  ['/x/24013212.log', undefined],
  ['/x/24010124.log', undefined],
  ['/x/2401011.log', undefined],
  ['/x/a24010112.log', undefined],
])('%s says its hour', (path, hour) => {
  expect(techHour(path)).toEqual(hour)
})
