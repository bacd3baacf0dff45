import { describe, expect, test } from 'vitest'
import { amendments } from '../../../agent/package/amendments.ts'
import { checksums } from '../../../agent/package/checksums.ts'
import { seaConfig } from '../../../agent/package/executable.ts'
import { archiveName, integrityOf } from '../../../agent/package/fetch.ts'
import { fileVersion } from '../../../agent/package/file-version.ts'
import { guidOf } from '../../../agent/package/guid.ts'
import { KOFFI_WINDOWS, NODE_VERSION, NODE_WINDOWS } from '../../../agent/package/pins.ts'
import { signingArguments } from '../../../agent/package/sign.ts'
import { setSummaryTimes } from '../../../agent/package/summary-times.ts'
import { missingTool } from '../../../agent/package/tool.ts'
import manifest from '../../../package.json' with { type: 'json' }
import lock from '../../../package-lock.json' with { type: 'json' }

describe('what is downloaded', () => {
  test('is the release that this package develops with', () => {
    expect(manifest.devDependencies.node).toBe(NODE_VERSION)
    expect(NODE_WINDOWS.version).toBe(NODE_VERSION)
  })

  test('is the addon that the lock file has', () => {
    const locked = lock.packages['node_modules/@koromix/koffi-win32-x64']
    expect(KOFFI_WINDOWS).toMatchObject({ version: locked.version, integrity: locked.integrity })
  })

  test('is called as npm calls it, and known by its digest', () => {
    expect(archiveName(KOFFI_WINDOWS)).toBe('koromix-koffi-win32-x64-3.3.4.tgz')
    // printf abc | sha512sum
    expect(integrityOf(Buffer.from('abc'))).toBe(
      'sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==',
    )
  })
})

describe('the executable', () => {
  test('takes no arguments for Node from outside, and no snapshot of another platform', () => {
    expect(seaConfig({ main: 'main.js', node: 'node.exe', output: 'out.exe', koffi: 'koffi.node' })).toMatchObject({
      mainFormat: 'module',
      useSnapshot: false,
      useCodeCache: false,
      execArgvExtension: 'none',
      assets: { 'koffi.node': 'koffi.node' },
    })
    expect(seaConfig({ main: 'main.js', node: 'node', output: 'out' }).assets).toEqual({})
  })

  test.each([
    ['1.2.3', [1, 2, 3]],
    ['10.0.1-rc.2', [10, 0, 1]],
  ])('%s is compared by Windows as %j', (version, numbers) => {
    expect(fileVersion(version)).toEqual(numbers)
  })
})

describe('the installer', () => {
  test('has codes that are the same for the same build alone', () => {
    const code = guidOf('product', Buffer.from([1, 2]))
    expect(code).toMatch(/^[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/)
    expect(guidOf('product', Buffer.from([1, 2]))).toBe(code)
    expect(guidOf('product', Buffer.from([1, 3]))).not.toBe(code)
    expect(guidOf('prod', 'uct', Buffer.from([1, 2]))).not.toBe(code)
  })

  test('gives the file the version that an upgrade is decided by', () => {
    const queries = amendments('1.2.3', 'ABC').join('\n')
    expect(queries).toContain("`Version` = '1.2.3.0'")
    expect(queries).toContain("('{ABC}', '', '1.2.3', '', 513, '', 'WIX_UPGRADE_DETECTED')")
  })

  test('says when it was made as it is told', () => {
    const installer = summary({ 12: 64, 13: 64 })
    setSummaryTimes(installer, Date.UTC(2026, 0, 1))
    // (1767225600 + 11644473600) s × 100 ns after 1601.
    const times = [0, 1].map(index => installer.readBigUInt64LE(SECTION + 24 + index * 12 + 4))
    expect(times).toEqual([134_116_992_000_000_000n, 134_116_992_000_000_000n])
  })

  test('whose summary lies otherwise is left alone', () => {
    expect(() => setSummaryTimes(Buffer.alloc(600), 0)).toThrow('no summary')
    expect(() => setSummaryTimes(summary({ 12: 64, 13: 30 }), 0)).toThrow('not where')
    expect(() => setSummaryTimes(summary({ 12: 64, 14: 64 }), 0)).toThrow('not where')
  })

  const STREAM = 100
  const SECTION = STREAM + 48

  /** A summary of two properties, each of a type, in the middle of a file. */
  function summary(types: Record<number, number>): Buffer {
    const bytes = Buffer.alloc(600)
    bytes.write('e0859ff2f94f6810ab9108002b27b3d9', STREAM + 28, 'hex')
    bytes.writeUInt32LE(2, SECTION + 4)
    for (const [index, [property, type]] of Object.entries(types).entries()) {
      bytes.writeUInt32LE(Number(property), SECTION + 8 + index * 8)
      bytes.writeUInt32LE(24 + index * 12, SECTION + 12 + index * 8)
      bytes.writeUInt32LE(type, SECTION + 24 + index * 12)
    }
    return bytes
  }
})

describe('signing', () => {
  test('takes a certificate and its key, or one file with both', () => {
    expect(signingArguments({})).toBeUndefined()
    expect(signingArguments({ cert: 'c.pem', key: 'k.pem', timestamp: 'http://ts' })).toEqual([
      '-certs',
      'c.pem',
      '-key',
      'k.pem',
      '-h',
      'sha256',
      '-n',
      'onec-agent',
      '-ts',
      'http://ts',
    ])
    expect(signingArguments({ pfx: 'both.pfx', password: 'file:/run/secret' })).toEqual([
      '-pkcs12',
      'both.pfx',
      '-readpass',
      '/run/secret',
      '-h',
      'sha256',
      '-n',
      'onec-agent',
    ])
  })

  test.each([[{ cert: 'c.pem' }], [{ pfx: 'both.pfx', key: 'k.pem' }], [{ timestamp: 'http://ts' }]])(
    '%j is not enough',
    options => {
      expect(() => signingArguments(options)).toThrow('--cert FILE --key FILE')
    },
  )

  test('a password stays off the command line', () => {
    expect(() => signingArguments({ pfx: 'both.pfx', password: 'secret' })).toThrow('file:PATH')
  })
})

test('SHA256SUMS is what sha256sum -c reads', () => {
  const files = new Map([
    ['b.msi', Buffer.from('abc')],
    ['a.exe', Buffer.alloc(0)],
  ])
  expect(checksums(files)).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a.exe\n' +
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b.msi\n',
  )
})

test('a missing tool is named by its Debian package', () => {
  expect(missingTool('wixl')).toContain('apt-get install wixl')
  expect(missingTool('msibuild')).toContain('apt-get install msitools')
})
