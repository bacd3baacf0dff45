import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { FINDING_CODES, finding } from '../../../agent/doctor/finding.ts'
import { CATALOGUES } from '../../../agent/doctor/text/catalogue.ts'

const README = readFileSync(new URL('../../../agent/doctor/README.md', import.meta.url), 'utf8')
const cell = (text = '') => text.replaceAll('|', '\\|').replaceAll(/\n\s*/g, ' ').replaceAll('<', '&lt;')

/** A finding as the table of the README has it. */
const rowOf = (code: (typeof FINDING_CODES)[number]) => {
  const [en, ru] = [CATALOGUES.en.findings[code], CATALOGUES.ru.findings[code]]
  const says = ({ what, todo }: typeof en) => cell(todo ? `${what} **→** ${todo}` : what)
  return `| \`${code}\` | ${finding(code).severity} | ${says(en)} | ${says(ru)} |`
}

it('the README lists every finding with its way out, in both languages', () => {
  const rows = README.split('\n').filter(line => /^\| `/.test(line))
  expect(rows).toEqual(FINDING_CODES.map(rowOf))
})
