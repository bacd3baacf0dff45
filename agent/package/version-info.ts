import { NtExecutable, NtExecutableResource, Resource } from 'resedit'
import { fileVersion } from './file-version.ts'

/** English (United States), UTF-16: what Node's own resource has. */
const LANGUAGE = { lang: 1033, codepage: 1200 }

export interface VersionInfo {
  readonly name: string
  readonly description: string
  readonly copyright: string
  /** "1.2.3". */
  readonly version: string
}

/**
 * Node's executable under the agent's name and without Node's signature, which would no longer hold. Deterministic.
 * Explorer, the task manager and Windows Installer (which keeps the file of the higher version) read these values.
 */
export function nameExecutable(node: Uint8Array, info: VersionInfo): Uint8Array {
  const executable = NtExecutable.from(node, { ignoreCert: true })
  const resources = NtExecutableResource.from(executable)
  const [own] = Resource.VersionInfo.fromEntries(resources.entries)
  if (!own) throw new Error('This executable has no version resource')
  const [major, minor, patch] = fileVersion(info.version)
  own.setFileVersion(major, minor, patch, 0, LANGUAGE.lang)
  own.setProductVersion(major, minor, patch, 0, LANGUAGE.lang)
  own.setStringValues(LANGUAGE, {
    CompanyName: info.name,
    ProductName: info.name,
    ProductVersion: info.version,
    FileDescription: info.description,
    InternalName: info.name,
    OriginalFilename: `${info.name}.exe`,
    LegalCopyright: info.copyright,
  })
  own.outputToResourceEntries(resources.entries)
  resources.outputResource(executable)
  return new Uint8Array(executable.generate())
}
