import { gzipSync } from 'node:zlib'
import type { PlainRequest } from '../http-request.ts'
import type { Row } from './row.ts'

interface InfluxdbRow extends Row {
  /** `/api/v2/write` of InfluxDB 2.x where it differs from `/write` of 1.6: from its source, there is none here. */
  readonly v2Status?: number
  /** `/api/v2/write` of VictoriaMetrics 1.79, measured, where it differs from InfluxDB 2.x. */
  readonly victoriaStatus?: number
}

export const influxV1Path = (precision: string) => `/write?db=onec${precision && `&precision=${precision}`}`
export const influxV2Path = (precision: string) =>
  `/api/v2/write?org=myorg&bucket=onec_metrics${precision && `&precision=${precision}`}`

/** Statuses: InfluxDB 1.6.7. `path` gives the API's path for a precision. */
export function influxdbRows(nowMs: number, path: (precision: string) => string): InfluxdbRow[] {
  const post = (body: PlainRequest['body'] = '', headers = {}, precision = 'ms'): PlainRequest => ({
    method: 'POST',
    path: path(precision),
    headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
    body,
  })
  const good = (name: string, lines: string, defect?: RegExp): InfluxdbRow => ({
    name,
    request: post(lines.replaceAll('$', String(nowMs))),
    status: 204,
    ...(defect && { defect }),
  })
  /** VictoriaMetrics takes any line and any type. */
  const bad = (name: string, lines: string, v2Status = 400): InfluxdbRow => ({
    ...good(name, lines),
    status: 400,
    ...(v2Status !== 400 && { v2Status }),
    victoriaStatus: 204,
  })
  return [
    good('a good line', 'a1,host=h,tenant=t cpu_percent=45.2 $\n'),
    good('no final newline', 'a2,host=h f=1 $'),
    good('Cyrillic and an escaped blank', 'a3,host=БУХ-1С,tenant=ООО\\ Ромашка f=1 $\n'),
    good('escaped commas, equals signs and blanks', 'a\\,4,a\\=b=c\\,d\\ e g\\,h=1 $\n'),
    good('a backslash inside a tag value', 'a5,v=C:\\Backup,host=h f=1 $\n'),
    good('the same point again', 'a1,host=h,tenant=t cpu_percent=45.2 $\n'),
    good('tags in another order', 'a6,b=1,a=2 f=1 $\n'),
    good('a quote in a tag', 'a7,a="q" f=1 $\n'),
    good('two blanks before the fields', 'a8  f=1 $\n'),
    good('numbers', 'a9 a=1e21,b=-0,c=0.5,d=-5.0e-3,e=01 $\n'),
    good('comments and empty lines', '# comment\n\nb1 f=1 $\n\n'),
    good('nothing', ''),
    good('blanks', '   '),
    good('a tag and a field of one name', 'b2,f=x f=1 $\n'),
    good('no time', 'b3 f=1\n', /without a time/),
    good('a field twice', 'b4 f=1,f=2 $\n', /twice/),
    good('no digit on one side of the point: VictoriaMetrics takes it for 0', 'c0 a=.5,b=5. $\n', /digit/),
    good('an integer', 'b5 f=1i $\n', /integer/),
    good('a string', 'b6 f="a\\"b\\\\c" $\n', /string/),
    good('a string over two lines', 'b7 f="a\nb" $\n', /string/),
    good('booleans', 'b8 f=t,g=False $\n', /boolean/),
    good('a control character in a tag', 'b9,a=x\ty f=1 $\n', /control/),

    bad('a backslash at the end of a tag', 'c1,host=C:\\Backup\\,tenant=t f=1 $\n'),
    bad('a backslash at the end of the last tag', 'c1,host=C:\\Backup\\ f=1 $\n'),
    bad('two backslashes at the end of a tag', 'c1,host=C:\\Backup\\\\ f=1 $\n'),
    bad('a backslash at the end of the measurement', 'c1\\ f=1 $\n'),
    bad('an empty tag value', 'c2,host= f=1 $\n'),
    bad('a tag without a value', 'c2,host f=1 $\n'),
    bad('an empty tag key', 'c2,=x f=1 $\n'),
    bad('a comma without a tag', 'c2, f=1 $\n'),
    bad('an equals sign in a tag value', 'c2,a=b=c f=1 $\n'),
    bad('a tag twice', 'c2,a=1,a=2 f=1 $\n'),
    bad('no measurement', ',a=b f=1 $\n'),
    bad('no fields', 'c3 $\n'),
    bad('a measurement alone', 'c3\n'),
    bad('no field value', 'c3 f= $\n'),
    bad('no field key', 'c3 =1 $\n'),
    bad('a comma after the last field', 'c3 f=1, $\n'),
    bad('NaN', 'c4 f=NaN $\n'),
    bad('Inf', 'c4 f=Inf $\n'),
    bad('+Inf', 'c4 f=+Inf $\n'),
    bad('null', 'c4 f=null $\n'),
    bad('a plus sign', 'c4 f=+5 $\n'),
    bad('a decimal comma', 'c4 f=1,5 $\n'),
    bad('hexadecimal', 'c4 f=0x10 $\n'),
    bad('out of range', 'c4 f=1e400 $\n'),
    bad('an integer out of range', 'c4 f=9223372036854775808i $\n'),
    bad('an integer with a fraction', 'c4 f=1.5i $\n'),
    bad('half a boolean', 'c4 f=tru $\n'),
    bad('an open quote', 'c4 f="a $\n'),
    bad('a time with a fraction', 'c5 f=1 1.5\n'),
    bad('a time with letters', 'c5 f=1 now\n'),
    bad('a time out of range', 'c5 f=1 99999999999999999999\n'),
    bad('text after the time', 'c5 f=1 $ x\n'),
    bad('CRLF', 'c6 f=1 $\r\n'),
    bad('a bad line among good ones', 'c7,a=b f=1 $\nbad line\nc7,a=c f=2 $\n'),
    bad('the tag time', 'c8,time=x f=1 $\n', 422),
    bad('a field of another type than its first', 'a8 f=1i $\n', 422),
    bad('the same among good ones', 'd1 f=1 $\na8 f=1i $\nd2 f=1 $\n', 422),

    { name: 'precision s', request: post(`e1 f=1 ${Math.floor(nowMs / 1000)}`, {}, 's'), status: 204 },
    { name: 'precision ns', request: post(`e2 f=1 ${nowMs}000000`, {}, 'ns'), status: 204 },
    { name: 'no precision is ns', request: post(`e3 f=1 ${nowMs}000000`, {}, ''), status: 204 },
    {
      name: 'milliseconds as seconds',
      request: post(`e4 f=1 ${nowMs}`, {}, 's'),
      status: 400,
      victoriaStatus: 204,
    },
    {
      name: 'an unknown precision',
      request: post(`e5 f=1 ${nowMs}000000`, {}, 'xx'),
      status: 204,
      v2Status: 400,
      victoriaStatus: 204,
    },
    { name: 'gzip', request: post(gzipSync(`e6 f=1 ${nowMs}`), { 'content-encoding': 'gzip' }), status: 204 },
    { name: 'gzip that is none', request: post(`e7 f=1 ${nowMs}`, { 'content-encoding': 'gzip' }), status: 400 },
    {
      name: 'gzip cut off',
      request: post(gzipSync(`e7 f=1 ${nowMs}`).subarray(0, -6), { 'content-encoding': 'gzip' }),
      status: 400,
    },
    {
      name: 'gzip that nothing announces',
      request: post(gzipSync(`e7 f=1 ${nowMs}`)),
      status: 400,
      victoriaStatus: 204,
    },
    { name: 'GET', request: { ...post(), method: 'GET' }, status: 405, victoriaStatus: 204 },
  ]
}
