import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A certificate and its key, PEM; EC P-256, made in the test that needs it. */
export interface Certified {
  readonly cert: string
  readonly key: string
}

export interface CertificateWish {
  /** Common name, any script. */
  readonly name: string
  /** DNS names that it is for; none for an authority. */
  readonly dns?: readonly string[]
  readonly fromMs?: number
  readonly toMs?: number
}

export interface Authority extends Certified {
  issue(wish: CertificateWish): Certified
}

const DAY_MS = 86_400_000

/** A certificate authority of one's own, as a company's TLS inspection has it. X.509 v3 (RFC 5280), just enough. */
export function createAuthority(name: string): Authority {
  const keys = newKeys()
  const own = certify({ name }, keys, name, keys.privateKey)
  return {
    ...own,
    issue(wish) {
      return certify(wish, newKeys(), name, keys.privateKey)
    },
  }
}

/** Signed by itself: what a device's own web page shows. */
export function selfSigned(wish: CertificateWish): Certified {
  const keys = newKeys()
  return certify(wish, keys, wish.name, keys.privateKey)
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

let serial = 1

function certify(wish: CertificateWish, keys: Keys, issuer: string, issuerKey: KeyObject): Certified {
  const { name, dns = [], fromMs = Date.now() - DAY_MS, toMs = Date.now() + 30 * DAY_MS } = wish
  const body = sequence(
    tagged(0xa0, integer(2)),
    integer(serial++),
    ECDSA_SHA256,
    nameOf(issuer),
    sequence(time(fromMs), time(toMs)),
    nameOf(name),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(dns.length > 0 ? alternativeNames(dns) : IS_AUTHORITY)),
  )
  const signature = tagged(0x03, Buffer.from([0]), sign('sha256', body, issuerKey))
  return {
    cert: pem(sequence(body, ECDSA_SHA256, signature)),
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

interface Keys {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n').trim()}\n-----END CERTIFICATE-----\n`

/** DER: tag, length in one to three bytes, content. */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, ...parts)
const oid = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'))
const integer = (value: number): Buffer => tagged(0x02, Buffer.from([value]))
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), tagged(0x04, value))
const nameOf = (text: string): Buffer =>
  sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from(text)))))

/** GeneralizedTime. */
const time = (ms: number): Buffer =>
  tagged(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(0, 14)}Z`))

const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'))
const IS_AUTHORITY = extension('551d13', sequence(tagged(0x01, Buffer.from([0xff]))))
const alternativeNames = (dns: readonly string[]): Buffer =>
  extension('551d11', sequence(...dns.map(name => tagged(0x82, Buffer.from(name)))))
