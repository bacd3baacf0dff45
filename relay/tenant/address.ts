/**
 * Why a destination's address is refused, absent when it is fine. On Cloudflare the relay must not be made to call into
 * a network that is not the operator's; on one's own machine (`allowPrivate`) private addresses are where sinks live.
 */
export function refusedAddress(address: string, allowPrivate: boolean): string | undefined {
  if (allowPrivate) return undefined
  const { hostname } = new URL(address)
  // A name may end in the root's dot.
  const name = hostname.toLowerCase().replace(/^\[|\]$|\.$/g, '')
  if (!isPrivate(name)) return undefined
  return `${hostname} is an address inside a private network, which a relay on Cloudflare does not call. Give the sink a public name (a Tunnel hostname), or run the relay on your own machine.`
}

const PRIVATE_NAME = /(^|\.)(localhost|local|internal|lan|home\.arpa)$/
const PRIVATE_V4 =
  /^(0|10|127)\.|^169\.254\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^(22[4-9]|2[3-5]\d)\.|^192\.0\.0\.|^198\.1[89]\./
/** Global unicast, without those that carry an IPv4 address inside (Teredo, 6to4). */
const PUBLIC_V6 = /^(?!2002:|2001:(0?:|[0-9a-f]{1,2}:))[23][0-9a-f]{3}:/

/** `URL` has brought every spelling of an IPv4 address (octal, hex, one number) to dotted decimals by now. */
function isPrivate(name: string): boolean {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return PRIVATE_V4.test(name)
  if (name.includes(':')) return !PUBLIC_V6.test(name)
  return PRIVATE_NAME.test(name) || !name.includes('.')
}
