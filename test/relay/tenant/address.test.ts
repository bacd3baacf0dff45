import { expect, test } from 'vitest'
import { refusedAddress } from '../../../relay/tenant/address.ts'

const PRIVATE = [
  'http://localhost:9090',
  'http://LOCALHOST./',
  'https://sink.localhost/',
  'http://127.0.0.1:9091/metrics',
  'http://127.1/',
  'http://0x7f.1/',
  'http://0x7f000001/',
  'http://2130706433/',
  'http://0177.0.0.1/',
  'http://127.0.0.1./',
  'http://１２７.0.0.1/',
  'http://0/',
  'http://0.0.0.0/',
  'http://10.0.0.8/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.1.1/',
  'http://169.254.169.254/latest/meta-data',
  'http://100.64.0.1/',
  'http://100.127.255.255/',
  'http://192.0.0.192/',
  'http://198.18.0.1/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://[::]/',
  'http://[::1]:9090/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[2001::7f00:1]/',
  'http://[2001:0:7f00:1::1]/',
  'http://[fe80::1]/',
  'http://[fec0::1]/',
  'http://[fc00::1]/',
  'http://[fd12:3456::1]/',
  'http://[ff02::1]/',
  'http://metadata.google.internal/',
  'http://metadata.google.internal./',
  'http://influx.local/',
  'http://nas.lan/',
  'http://router.home.arpa/',
  'http://srv-1c/',
  'http://srv-1c./',
]

const PUBLIC = [
  'https://prometheus-prod-01.grafana.net/api/prom/push',
  'https://пример.рф/',
  'https://11.0.0.1/',
  'https://172.15.0.1/',
  'https://172.32.0.1/',
  'https://100.63.0.1/',
  'https://100.128.0.1/',
  'https://192.169.0.1/',
  'https://198.20.0.1/',
  'https://223.255.255.255/',
  'https://[2606:4700:4700::1111]/',
  'https://[2001:4860:4860::8888]/',
  'https://local.example/',
  'https://internal.example.com/',
  'https://10.example.com/',
]

test.each(PRIVATE)('refused on Cloudflare, taken on one’s own machine: %s', address => {
  expect(refusedAddress(address, false)).toContain('inside a private network')
  expect(refusedAddress(address, true)).toBeUndefined()
})

test.each(PUBLIC)('fine: %s', address => {
  expect(refusedAddress(address, false)).toBeUndefined()
})
