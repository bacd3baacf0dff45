import { X509Certificate } from 'node:crypto'
import tls from 'node:tls'
import { systemCode, UserError } from '../error.ts'
import { readTypedText } from '../typed-text.ts'

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** The certificates in a PEM file. Fails with a UserError that names the file and what is wrong with it. */
export function readCaFile(file: string): string[] {
  const text = readText(file)
  const blocks = text.match(PEM_BLOCK) ?? []
  if (blocks.length === 0)
    throw new UserError(
      `${file} holds no PEM certificate ("-----BEGIN CERTIFICATE-----"). A DER file (.cer, .crt) becomes one with: openssl x509 -inform der -in FILE -out ca.pem`,
    )
  blocks.forEach((block, index) => {
    try {
      new X509Certificate(block)
    } catch {
      throw new UserError(`${file}: certificate ${index + 1} of ${blocks.length} is damaged. Export it again.`)
    }
  })
  return blocks
}

function readText(file: string): string {
  try {
    return readTypedText(file)
  } catch (error) {
    throw new UserError(`The CA file ${file} cannot be read: ${systemCode(error) ?? error}. Check the path and rights.`)
  }
}

/**
 * Whom this host believes: the roots that Node carries and the CA file's; the operating system's too once they are
 * needed, as they cost memory (see README) and only TLS inspection wants them.
 */
export interface Trust {
  readonly context: tls.SecureContext
  /** Adds the system's roots; false when they are in already. */
  widen(): boolean
}

export function createTrust(ca: readonly string[]): Trust {
  let context: tls.SecureContext | undefined
  let widened = false
  return {
    get context() {
      context ??= tls.createSecureContext(ca.length > 0 ? { ca: [...tls.rootCertificates, ...ca] } : {})
      return context
    },
    widen() {
      if (widened) return false
      widened = true
      const known = new Set([...tls.rootCertificates, ...ca].map(body))
      const system = systemCertificates().filter(each => !known.has(body(each)))
      context = tls.createSecureContext({ ca: [...tls.rootCertificates, ...ca, ...system] })
      return true
    },
  }
}

/** Node 22.15 and later can read the store. */
const systemCertificates = (): string[] => tls.getCACertificates?.('system') ?? []

/** Without line breaks: stores differ in them. */
const body = (pem: string): string => pem.replace(/\s+/g, '')
