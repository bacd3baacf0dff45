import { describe, expect, it } from 'vitest'
import { type SystemVersion, systemName } from '../../../agent/windows/system-name.ts'

const SERVER_2022: SystemVersion = {
  productName: 'Windows Server 2022 Standard',
  displayVersion: '21H2',
  releaseId: '2009',
  build: '20348',
  revision: 2113,
  installationType: 'Server',
}
const name = (changes: Partial<SystemVersion>) => systemName({ ...SERVER_2022, ...changes }, 'x64')

describe('systemName', () => {
  it.each([
    [{}, 'Windows Server 2022 Standard 21H2 (20348.2113) x64'],
    [{ installationType: 'Server Core' }, 'Windows Server 2022 Standard Core 21H2 (20348.2113) x64'],
    [
      { productName: 'Windows Server 2016 Standard', displayVersion: undefined, releaseId: '1607', build: '14393' },
      'Windows Server 2016 Standard 1607 (14393.2113) x64',
    ],
    [
      { productName: 'Windows Server 2022 Datacenter', displayVersion: '24H2', build: '26100' },
      'Windows Server 2025 Datacenter 24H2 (26100.2113) x64',
    ],
    [
      { productName: 'Windows 10 Pro', displayVersion: '23H2', build: '22631', installationType: 'Client' },
      'Windows 11 Pro 23H2 (22631.2113) x64',
    ],
    [
      { productName: 'Windows 10 Корпоративная', displayVersion: '22H2', build: '19045', installationType: 'Client' },
      'Windows 10 Корпоративная 22H2 (19045.2113) x64',
    ],
    [
      { displayVersion: undefined, releaseId: undefined, revision: undefined },
      'Windows Server 2022 Standard (20348) x64',
    ],
    [{ productName: undefined }, undefined],
  ])('%j', (changes, expected) => {
    expect(name(changes)).toBe(expected)
  })
})
