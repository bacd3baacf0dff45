import { systemCode } from '../error.ts'

/** Why there was no complete answer, told apart as far as what to do next differs. */
export type NetworkCause =
  | 'dns'
  | 'refused'
  | 'timeout'
  | 'unreachable'
  | 'cut'
  | 'tls_issuer'
  | 'tls_expired'
  | 'tls_not_yet_valid'
  | 'tls_name'
  | 'tls_other'
  | 'proxy_unreachable'
  | 'proxy_login'
  | 'proxy_ntlm'
  | 'proxy_refused'
  | 'other'

/** The same in a few words, for the log. What to do about each is in `doctor/text/`. */
export const CAUSE_REASONS: Readonly<Record<NetworkCause, string>> = {
  dns: 'the name of the relay cannot be looked up (DNS)',
  refused: 'the connection was refused: nothing listens there, or a firewall closes it',
  timeout: 'no answer in time',
  unreachable: 'there is no way to that network',
  cut: 'the connection was cut before the answer was complete',
  tls_issuer: 'the certificate comes from an issuer that this machine does not trust',
  tls_expired: 'the certificate has expired, or the clock of this machine is ahead',
  tls_not_yet_valid: 'the certificate is not valid yet: the clock of this machine is probably behind',
  tls_name: 'the certificate is for another name',
  tls_other: 'no TLS connection could be made',
  proxy_unreachable: 'the proxy cannot be reached',
  proxy_login: 'the proxy wants a user name and password, or refuses these',
  proxy_ntlm: 'the proxy accepts only an NTLM or Kerberos sign-in, which is not supported',
  proxy_refused: 'the proxy does not let this host through to the relay',
  other: 'the connection failed',
}

/** Codes of Node, libuv and OpenSSL (X509_V_ERR_…); what is not here is `other`. */
const CAUSES: Readonly<Record<string, NetworkCause>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  ENETUNREACH: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EACCES: 'refused',
  ECONNRESET: 'cut',
  ECONNABORTED: 'cut',
  EPIPE: 'cut',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls_issuer',
  UNABLE_TO_GET_ISSUER_CERT: 'tls_issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls_issuer',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls_issuer',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls_issuer',
  CERT_UNTRUSTED: 'tls_issuer',
  CERT_HAS_EXPIRED: 'tls_expired',
  CERT_NOT_YET_VALID: 'tls_not_yet_valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_name',
  HOSTNAME_MISMATCH: 'tls_name',
  EPROTO: 'tls_other',
}

/** The cause behind an error of `node:https`, `node:tls` or `node:net`. */
export function causeOf(error: unknown): NetworkCause {
  const code = systemCode(error) ?? ''
  return CAUSES[code] ?? (/^(ERR_TLS_|ERR_SSL_|CERT_)/.test(code) ? 'tls_other' : 'other')
}

/** The same for a connection through a proxy: until the tunnel stands, it is the proxy that failed. */
export function proxyCauseOf(error: unknown, offers: readonly string[]): NetworkCause {
  const { statusCode } = error as { statusCode?: unknown }
  if (systemCode(error) !== 'ERR_PROXY_TUNNEL') {
    const cause = causeOf(error)
    return ['dns', 'refused', 'unreachable'].includes(cause) ? 'proxy_unreachable' : cause
  }
  if (statusCode === 407) return loginCause(offers)
  // What tinyproxy answers to a wrong password.
  if (statusCode === 401) return 'proxy_login'
  return typeof statusCode === 'number' ? 'proxy_refused' : 'proxy_unreachable'
}

/** `offers`: the schemes of the proxy's `Proxy-Authenticate` headers. */
export function loginCause(offers: readonly string[]): NetworkCause {
  const schemes = offers.map(offer => offer.trim().split(/\s/)[0]?.toLowerCase())
  return schemes.length > 0 && !schemes.includes('basic') ? 'proxy_ntlm' : 'proxy_login'
}
