import { readRegistryNumber, readRegistryText } from './registry.ts'

/** Values of `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`. */
export interface SystemVersion {
  readonly productName: string | undefined
  /** "21H2"; before that there was `releaseId`, "1809", which has stood still at "2009" since. */
  readonly displayVersion: string | undefined
  readonly releaseId: string | undefined
  readonly build: string | undefined
  /** The number behind the build's, of the updates installed. */
  readonly revision: number | undefined
  /** "Server", "Server Core", "Client". */
  readonly installationType: string | undefined
}

const CURRENT_VERSION = 'SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion'

export function readSystemVersion(): SystemVersion {
  const text = (name: string) => readRegistryText(CURRENT_VERSION, name)
  return {
    productName: text('ProductName'),
    displayVersion: text('DisplayVersion'),
    releaseId: text('ReleaseId'),
    build: text('CurrentBuildNumber'),
    revision: readRegistryNumber(CURRENT_VERSION, 'UBR'),
    installationType: text('InstallationType'),
  }
}

/** "Windows Server 2022 Standard 21H2 (20348.2113) x64"; absent when not even the product has a name. */
export function systemName(version: SystemVersion, arch: string): string | undefined {
  const { productName, displayVersion, releaseId, build, revision, installationType } = version
  if (!productName) return undefined
  const number = Number(build)
  const product = installationType?.startsWith('Server')
    ? serverName(productName, number)
    : clientName(productName, number)
  const core = installationType === 'Server Core' ? 'Core' : undefined
  const exact = build && `(${revision === undefined ? build : `${build}.${revision}`})`
  return [product, core, displayVersion ?? releaseId, exact, arch].filter(Boolean).join(' ')
}

const FIRST_BUILD_OF_11 = 22_000

/** Windows 11 calls itself 10 there. */
function clientName(productName: string, build: number): string {
  return build >= FIRST_BUILD_OF_11 ? productName.replace('Windows 10', 'Windows 11') : productName
}

const YEAR_BY_BUILD: Readonly<Record<number, string>> = {
  14393: '2016',
  17763: '2019',
  20348: '2022',
  26100: '2025',
}

/** The name stays at its first one through some upgrades; the build never does. */
function serverName(productName: string, build: number): string {
  const year = YEAR_BY_BUILD[build]
  return year ? productName.replace(/\b20\d\d\b/, year) : productName
}
