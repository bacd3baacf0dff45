import { eraseRegistryValue, readRegistryText } from './registry.ts'

const KEY = 'Software\\onec-agent'

export type SetupProperty = 'RelayUrl' | 'EnrolCode' | 'Proxy' | 'Ca' | 'Name'

/** A property that the MSI left in the registry; absent also when it is empty, as one that was not given is. */
export const readProperty = (name: SetupProperty): string | undefined =>
  readRegistryText(KEY, name)?.trim() || undefined

export const eraseProperty = (name: SetupProperty): void => eraseRegistryValue(KEY, name)
