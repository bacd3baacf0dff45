#!/usr/bin/env node
// A stand-in for Microsoft's sqlcmd that takes exactly the options that are documented for it, and answers as the file
// in ONEC_TEST_SQL says: { login?: {user, password}, rows?: [...], fail?: {exit, text}, hang?: true }.
import { readFileSync } from 'node:fs'

const WITH_VALUE = new Set(['-S', '-U', '-d', '-h', '-w', '-l', '-t', '-Q'])
const ALONE = new Set(['-E', '-C', '-b', '-W'])

const fail = (exit, text) => {
  process.stderr.write(`${text}\n`)
  process.exit(exit)
}

const given = new Map()
const args = process.argv.slice(2)
while (args.length > 0) {
  const option = args.shift()
  if (ALONE.has(option)) given.set(option, true)
  else if (WITH_VALUE.has(option) && args.length > 0) given.set(option, args.shift())
  else fail(1, `Sqlcmd: '${option}': Unknown Option. Enter '-?' for help.`)
}
if (given.has('-E') && given.has('-U')) fail(1, 'Sqlcmd: The -E and the -U/-P options are mutually exclusive.')
for (const option of ['-S', '-b', '-W', '-Q', '-l', '-t'])
  if (!given.has(option)) fail(1, `stand-in: ${option} is missing`)
if (given.get('-h') !== '-1') fail(1, 'stand-in: headers would be printed')

const query = given.get('-Q')
for (const part of ["type = 'D'", 'is_copy_only = 0', 'SET NOCOUNT ON', 'msdb.dbo.backupset'])
  if (!query.includes(part)) fail(1, `stand-in: the query lacks ${part}`)
if (/["\n$]/.test(query)) fail(1, 'stand-in: the query has characters that a command line spoils')

const script = JSON.parse(readFileSync(process.env.ONEC_TEST_SQL, 'utf8'))
if (script.hang) setInterval(() => {}, 1_000)
else {
  const { login, rows = [], fail: failure } = script
  const isIn = login
    ? given.get('-U') === login.user && process.env.SQLCMDPASSWORD === login.password
    : given.has('-E') && process.env.SQLCMDPASSWORD === undefined
  if (!isIn)
    fail(1, "Sqlcmd: Error: Microsoft ODBC Driver 18 for SQL Server : Login failed for user 'NT AUTHORITY\\СИСТЕМА'..")
  if (failure) fail(failure.exit, failure.text)
  process.stdout.write([...rows, 'ONEC_END'].map(row => `${row}\r\n`).join(''))
}
