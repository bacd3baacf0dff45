import { describe, expect, it } from 'vitest'
import { createJoiner, type RecordFormat } from '../../../agent/logs/records.ts'

function join(text: string, format: RecordFormat = 'lines'): string[] {
  const joiner = createJoiner(format)
  let offset = 0
  const records = text.split('\n').map(line => {
    const start = offset
    offset += line.length + 1
    return joiner.push({ text: line, start, end: { offset, skipping: false }, cut: false })
  })
  return [...records, joiner.rest()].flatMap(record => record?.text ?? [])
}

describe('lines', () => {
  it('are a record each', () => {
    expect(join('один\nдва\n\nтри')).toEqual(['один', 'два', 'три'])
  })

  it('of a Python traceback are one, with its last line', () => {
    const trace = `2024-01-01 12:00:00,123 - ERROR - Ошибка
Traceback (most recent call last):
  File "бот.py", line 5, in main
    run()
ValueError: нет файла`
    expect(join(`${trace}\nконец: да\n2024-01-01 12:00:01,000 - INFO - дальше`)).toEqual([
      trace,
      'конец: да',
      '2024-01-01 12:00:01,000 - INFO - дальше',
    ])
  })

  it('of a chained traceback are one', () => {
    const trace = `Traceback (most recent call last):
  File "a.py", line 1
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3
RuntimeError: всё`
    expect(join(trace)).toEqual([trace])
  })

  it('of a Java or .NET stack are one', () => {
    const trace = `12:00 ERROR System.IO.IOException: Нет места
   at System.IO.FileStream.Write()
   at Бэкап.Main()
--- End of inner exception stack trace ---
Caused by: X
\t... 5 more`
    expect(join(trace)).toEqual([trace])
  })

  it('of printed JSON are one', () => {
    expect(join('{\n  "a": 1\n}\nnext')).toEqual(['{\n  "a": 1\n}', 'next'])
  })

  it('that are indented but have a time of their own stand alone', () => {
    expect(join(' 2024-01-01 12:00:00 a\n 2024-01-01 12:00:01 b')).toHaveLength(2)
  })

  it('are at most 200 together', () => {
    const records = join(['start', ...Array(450).fill('  more')].join('\n'))
    expect(records.map(record => record.split('\n').length)).toEqual([200, 200, 51])
  })

  it('are at most 64 K characters together', () => {
    expect(join(['start', ...Array(5).fill(`  ${'x'.repeat(20_000)}`)].join('\n'))).toHaveLength(2)
  })
})

describe('1c-tech', () => {
  it('is one record an event, blank lines inside included', () => {
    const first = `45:31.831004-0,EXCP,2,Descr='a\n\n  b',Context='\nстрока'`
    expect(join(`${first}\n45:31.9-1,CALL,1,x=y`, '1c-tech')).toEqual([first, '45:31.9-1,CALL,1,x=y'])
  })
})

it('knows where a record begins and ends', () => {
  const joiner = createJoiner('lines')
  joiner.push({ text: 'a', start: 10, end: { offset: 12, skipping: false }, cut: false })
  joiner.push({ text: ' b', start: 12, end: { offset: 15, skipping: true }, cut: true })
  expect(joiner.push({ text: 'c', start: 20, end: { offset: 22, skipping: false }, cut: false })).toEqual({
    text: 'a\n b',
    lines: 2,
    start: 10,
    end: { offset: 15, skipping: true },
    cut: true,
  })
  expect(joiner.rest()).toMatchObject({ start: 20, end: { offset: 22, skipping: false } })
})
