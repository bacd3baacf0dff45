import { gzipSync } from 'node:zlib'
import type { PlainRequest } from '../http-request.ts'
import type { Row } from './row.ts'

const HEADERS = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }

const base64 = (text: string) => Buffer.from(text).toString('base64url')

const call = (method: string, path: string, body: PlainRequest['body'] = ''): PlainRequest => ({
  method,
  path,
  headers: HEADERS,
  body,
})

/** Statuses: Pushgateway 1.5.1. Each body goes to a group of its own. */
export function pushgatewayRows(): Row[] {
  let group = 0
  const push = (name: string, status: number, body: PlainRequest['body'], defect?: RegExp): Row => {
    group += 1
    return { name, status, request: call('PUT', `/metrics/job/j/instance/g${group}`, body), ...(defect && { defect }) }
  }
  const path = (status: number, text: string, method = 'PUT'): Row => {
    group += 1
    return { name: `${method} ${text}`, status, request: call(method, text, `path${group} 1\n`) }
  }
  return [
    // the text format
    push('TYPE and HELP', 200, '# HELP m1 Help.\n# TYPE m1 gauge\nm1 1\n'),
    push('without TYPE', 200, 'm2 1\n'),
    push('a counter', 200, '# TYPE m3_total counter\nm3_total 1\n'),
    push('TYPE in capitals', 200, '# TYPE m4 GAUGE\nm4 1\n'),
    push('a timestamp', 400, 'm5 1 1600000000000\n'),
    push('CRLF', 400, 'm6 1\r\n'),
    push('CRLF after TYPE', 400, '# TYPE m6 gauge\r\nm6 1\r\n'),
    push('no final newline', 400, 'm7 1'),
    push('a comment without a newline', 400, 'm7 1\n# x'),
    push('no body', 200, ''),
    push('empty lines', 200, '\n\nm8 1\n\n'),
    push('comments', 200, '# hello\n#there\nm8 1\n'),
    push('a series twice', 400, 'm9 1\nm9 2\n'),
    push('a series twice, labels in another order', 400, 'm9{a="1",b="2"} 1\nm9{b="2",a="1"} 1\n'),
    push('a second TYPE', 400, '# TYPE m10 gauge\nm10 1\n# TYPE m10 gauge\nm10{a="1"} 2\n'),
    push('TYPE after a sample', 400, 'm10 1\n# TYPE m10 gauge\n'),
    push('an unknown TYPE', 400, '# TYPE m10 integer\nm10 1\n'),
    push('a second HELP', 400, '# HELP m10 a\n# HELP m10 b\nm10 1\n'),
    push('HELP after a sample', 200, 'm11 1\n# HELP m11 a\n', /HELP/),
    push('lines of a metric apart', 200, 'm12{a="1"} 1\nm13 1\nm12{a="2"} 2\n', /not one group/),
    push('a TYPE that differs from another group’s', 400, '# TYPE m1 counter\nm1 1\n'),
    push('no TYPE where another group has one', 400, 'm1 1\n'),
    push('a HELP that differs from another group’s', 200, '# HELP m1 Other.\n# TYPE m1 gauge\nm1 1\n'),
    push('labels that the group overwrites', 200, 'm14{job="x",instance="y",tenant="t"} 1\n', /overwritten/),
    push('a series twice after overwriting', 400, 'm15{instance="x"} 1\nm15{instance="y"} 1\n'),
    push('a metric name that starts with a digit', 400, '1m 1\n'),
    push('a metric name with a dash', 400, 'bad-name 1\n'),
    push('a label name with a dash', 400, 'm16{a-b="1"} 1\n'),
    push('a label twice', 400, 'm16{a="1",a="2"} 1\n'),
    push('the label __name__', 400, 'm16{__name__="x"} 1\n'),
    push('a reserved label name', 400, 'm16{__x="x"} 1\n'),
    push('a label name in Cyrillic', 400, 'm16{я="1"} 1\n'),
    push('an empty label value', 200, 'm17{a=""} 1\n', /no value/),
    push('a comma after the last label', 200, 'm18{a="1",} 1\n'),
    push('no labels in braces', 200, 'm19{} 1\n'),
    push('only a comma in braces', 400, 'm19{,} 1\n'),
    push('blanks between labels', 200, 'm20{ a = "1" , b = "2" } 1\n'),
    push('an unescaped quote', 400, 'm21{a="x"y"} 1\n'),
    push('an unknown escape', 400, 'm21{a="\\t"} 1\n'),
    push('the known escapes', 200, 'm21{a="\\\\ \\n \\""} 1\n'),
    push('a line end in a label', 400, 'm21{a="x\ny"} 1\n'),
    push('a Windows path, not escaped', 400, 'm22{a="C:\\Backup\\"} 1\n'),
    push('a Windows path, escaped', 200, 'm22{a="C:\\\\Backup\\\\"} 1\n'),
    push('a label value in Cyrillic', 200, 'm23{backup="Зарплата 3.1"} 1\n'),
    push('a label value that is no UTF-8', 400, Buffer.from('m23{a="\xff"} 1\n', 'latin1')),
    push('HELP with escapes', 200, '# HELP m24 back\\\\slash, \\n line\nm24 1\n'),
    push('HELP with an unknown escape', 400, '# HELP m25 C:\\dir\nm25 1\n'),
    push('HELP with an escaped quote', 400, '# HELP m25 say \\"x\\"\nm25 1\n'),
    push('HELP without text', 200, '# HELP m26\nm26 1\n'),
    push('HELP without samples', 200, '# HELP m27 x\n'),
    push('TYPE without a type', 200, '# TYPE m28\nm28 1\n'),
    {
      name: 'gzip',
      status: 200,
      request: {
        ...call('PUT', '/metrics/job/j/instance/zip', gzipSync('m29 1\n')),
        headers: { ...HEADERS, 'content-encoding': 'gzip' },
      },
    },
    push('NaN', 200, 'm30 NaN\n', /NaN/),
    push('infinities', 200, 'm31 +Inf\nm32 -Inf\nm33 Infinity\n'),
    push('a large and a small number', 200, 'm34 1e21\nm35 1.5e-9\nm36 +1\nm37 .5\nm38 5.\n'),
    push('null', 400, 'm39 null\n'),
    push('undefined', 400, 'm39 undefined\n'),
    push('a decimal comma', 400, 'm39 1,5\n'),
    push('hexadecimal', 400, 'm39 0x1p-2\n'),
    push('out of range', 400, 'm39 1e400\n'),
    push('no value', 400, 'm39\n'),
    push('a blank after the value', 400, 'm39 1 \n'),
    push('a tab before the value', 200, 'm40\t1\n'),
    push('a blank before the name', 200, ' m41 1\n'),
    push('an exemplar', 400, 'm42 1 # {a="b"} 1\n'),
    push('a histogram', 200, '# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n'),

    // the path
    path(404, '/metrics/job'),
    path(405, '/metrics'),
    path(404, '/metrics/instance/x/job/j'),
    path(400, '/metrics/job/j/instance'),
    path(400, '/metrics/job/j/instance/a%2Fb'),
    path(200, '/metrics/job/j/instance/a%20b'),
    path(200, '/metrics/job/j/instance/%D0%91'),
    path(301, '/metrics/job//instance/x'),
    path(301, '/metrics/job/j/instance/./x'),
    path(301, '/metrics/job/../job/j'),
    path(400, '/metrics/job@base64/='),
    path(200, '/metrics/job@base64/ag/instance@base64/eA=='),
    path(200, '/metrics/job/j/instance@base64/='),
    path(200, '/metrics/job/j/instance@base64/Pj4-Pz8_'),
    path(400, '/metrics/job/j/instance@base64/Pj4+Pz8/'),
    path(400, '/metrics/job/j/instance@base64/!!'),
    path(400, '/metrics/job/j/instance@base64/a'),
    path(400, '/metrics/job/j/instance@base64url/eA'),
    path(400, '/metrics/job/j/bad-name/x'),
    path(400, '/metrics/job/j/__x/x'),
    path(200, '/metrics/job/k/job/l'),
    path(200, '/metrics/job/k/instance/a/instance/b'),
    path(
      200,
      `/metrics/job/onec_backup_bot/tenant@base64/${base64('ООО Ромашка')}/instance@base64/${base64('БУХ-1С')}`,
    ),
    path(405, '/metrics/job/j/instance/x', 'GET'),
    path(405, '/metrics/job/j/instance/x', 'PATCH'),

    // groups
    { name: 'a group of two metrics', status: 200, request: call('PUT', '/metrics/job/p/instance/x', 'pa 1\npb 1\n') },
    {
      name: 'POST leaves the others',
      status: 200,
      request: call('POST', '/metrics/job/p/instance/x', 'pb{x="1"} 2\n'),
    },
    { name: 'PUT replaces all', status: 200, request: call('PUT', '/metrics/job/p2/instance/x', 'pc 1\npd 1\n') },
    { name: 'PUT replaces all, again', status: 200, request: call('PUT', '/metrics/job/p2/instance/x', 'pd 2\n') },
    {
      name: 'another TYPE in the only group that has the metric',
      status: 200,
      request: call('PUT', '/metrics/job/p2/instance/x', '# TYPE pd counter\npd 3\n'),
    },
    { name: 'DELETE of part of a key', status: 202, request: call('DELETE', '/metrics/job/p') },
    { name: 'DELETE of an unknown key', status: 202, request: call('DELETE', '/metrics/job/nobody') },
    { name: 'DELETE of an odd path', status: 400, request: call('DELETE', '/metrics/job/j/instance') },
    { name: 'DELETE in base64', status: 202, request: call('DELETE', '/metrics/job@base64/cDI/instance@base64/eA') },
    { name: 'a job without an instance', status: 200, request: call('PUT', '/metrics/job/lone', 'lone 1\n') },
    {
      name: 'the same job with an empty instance: the two are one series',
      status: 400,
      request: call('PUT', '/metrics/job/lone/instance@base64/=', 'lone2 1\n'),
    },
    {
      name: 'and from then on nobody can push',
      status: 400,
      request: call('PUT', '/metrics/job/j/instance/g1', 'm1 1\n'),
    },
    { name: 'until one of them is deleted', status: 202, request: call('DELETE', '/metrics/job/lone') },
    {
      name: 'then all can again',
      status: 200,
      request: call('PUT', '/metrics/job/j/instance/late', 'late 1\n'),
    },
  ]
}
