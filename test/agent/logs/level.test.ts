import { describe, expect, it } from 'vitest'
import { isBelow, levelOf } from '../../../agent/logs/level.ts'

describe('levelOf', () => {
  it.each([
    ['2024-01-01 12:00:00,123 - INFO - Metrics worker started (interval: 60s)', 'info'],
    ['2024-01-01 12:00:00,123 - root - WARNING - диск почти полон', 'warn'],
    ['2024-01-01 12:00:00,123 - ERROR - Ошибка архивации', 'error'],
    ['2024-01-01 12:00:00,123 - CRITICAL - всё', 'error'],
    ['2024-01-01 12:00:00,123 - DEBUG - ERROR in the text', 'debug'],
    ['[ERROR] no space', 'error'],
    ['[2024-01-01 12:00:00] [Warning] мало места', 'warn'],
    ['[error] lower case in brackets', 'error'],
    ['<warn> lower case in angles', 'warn'],
    ['time=2024 level=warn msg="x"', 'warn'],
    ['time=2024 level="error" msg="x"', 'error'],
    ['severity: Notice; text', 'info'],
    ['01.02.2024 10:00:00 ОШИБКА база недоступна', 'error'],
    ['01.02.2024 10:00:00 Ошибка при создании архива', 'error'],
    ['Предупреждение: файл старый', 'warn'],
    ['ВНИМАНИЕ! Заканчивается место', 'warn'],
    ['Информация | копия готова', 'info'],
    ['Критично: нет ответа', 'error'],
    ['Исключение: ВызватьИсключение', 'error'],
    ['{"level":50,"msg":"x"}', 'error'],
    ['{"level":30,"msg":"ERROR in the text"}', 'info'],
    ['{"level":"warning","msg":"x"}', 'warn'],
    ['{"msg":"first","severity":"DEBUG"}', 'debug'],
    ['{"broken": ERROR', 'error'],
    ['Traceback (most recent call last):', 'error'],
    ['ValueError: bad', 'error'],
    ['WARN  only', 'warn'],
    ['E: not a level', undefined],
    ['Ошибок: 0', undefined],
    ['завершено без ошибок', undefined],
    ['no error was found', undefined],
    ['C:\\ERROR\\file.txt copied', undefined],
    ['INFORMATIONAL', undefined],
    ['просто строка', undefined],
    ['', undefined],
    [`${'x'.repeat(200)} ERROR`, undefined],
  ])('%s', (line, level) => {
    expect(levelOf(line)).toBe(level)
  })

  it('orders levels', () => {
    expect(isBelow('info', 'warn')).toBe(true)
    expect(isBelow('warn', 'warn')).toBe(false)
    expect(isBelow('error', 'debug')).toBe(false)
  })
})
