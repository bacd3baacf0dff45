import { describe, expect, test } from 'vitest'
import { firstFree, slug, TENANT_ID } from '../../../relay/directory/slug.ts'

describe('slug', () => {
  test.each([
    ['ООО Ромашка', 'ooo-romashka'],
    ['ООО «Ромашка» (Тверь)', 'ooo-romashka-tver'],
    ['Щёлково Агро', 'shchelkovo-agro'],
    ['Объединённый склад № 7', 'obedinennyy-sklad-no-7'],
    ['Київ', 'kiyiv'],
    ['Café Zürich', 'cafe-zurich'],
    ['  --demo--  ', 'demo'],
    ['北京', 'tenant'],
    ['!!!', 'tenant'],
    ['Общество с ограниченной ответственностью «Василёк»', 'obshchestvo-s-ogranichennoy-otve'],
  ])('%s → %s', (name, id) => {
    expect(slug(name, 'tenant')).toBe(id)
    expect(id).toMatch(TENANT_ID)
  })

  test('a decomposed й is the same letter', () => {
    expect(slug('Склад Южный'.normalize('NFD'), 'tenant')).toBe(slug('Склад Южный', 'tenant'))
  })
})

describe('firstFree', () => {
  test('counts on from 2', () => {
    const taken = new Set(['demo', 'demo-2'])
    expect(firstFree('demo', id => taken.has(id))).toBe('demo-3')
  })

  test('makes room for the number in a long id', () => {
    const base = 'a'.repeat(32)
    expect(firstFree(base, id => id === base)).toBe(`${'a'.repeat(30)}-2`)
    expect(firstFree(`${'a'.repeat(29)}-bc`, id => id.length === 32)).toMatch(TENANT_ID)
  })
})
