import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { amendments } from './amendments.ts'
import { fileVersion } from './file-version.ts'
import { guidOf } from './guid.ts'
import { setSummaryTimes } from './summary-times.ts'
import { runTool } from './tool.ts'

const SOURCE = fileURLToPath(new URL('onec-agent.wxs', import.meta.url))

/** What Windows knows every release of the agent by. Never to be changed. */
const UPGRADE_CODE = '5D0B7B7E-6B0C-4E0A-9C53-3B0C9E2F7A11'

/** 2026-01-01: what stands for "now" where the same sources must give the same bytes. */
const BUILT_AT_MS = Date.UTC(2026, 0, 1)

/** The database's text is UTF-8: wixl writes it so, and does not say so. */
const UTF_8_TABLE = '\r\n\r\n65001\t_ForceCodepage\r\n'

/** The installer of this executable. The same build is the same product; any other one replaces it. */
export async function buildInstaller(executable: string, version: string, work: string, output: string): Promise<void> {
  const release = fileVersion(version).join('.')
  const queries = amendments(release, UPGRADE_CODE)
  const codes = installerCodes(version, readFileSync(executable), readFileSync(SOURCE), queries.join('\n'))
  // The cabinet keeps the file's time.
  utimesSync(executable, BUILT_AT_MS / 1000, BUILT_AT_MS / 1000)
  rmSync(output, { force: true })
  const variables = {
    Version: release,
    ProductCode: codes.product,
    UpgradeCode: UPGRADE_CODE,
    Agent: path.basename(executable),
  }
  const defines = Object.entries(variables).flatMap(([name, value]) => ['-D', `${name}=${value}`])
  // It finds a file by its path from the working directory only.
  await runTool('wixl', ['-a', 'x64', ...defines, '-o', output, SOURCE], path.dirname(executable))
  await runTool('msibuild', [output, '-s', 'onec-agent', 'onec-relay', 'x64;1033', `{${codes.package}}`])
  const codepage = path.join(work, 'codepage.idt')
  writeFileSync(codepage, UTF_8_TABLE)
  await runTool('msibuild', [output, '-i', codepage, '-q', ...queries])
  const bytes = readFileSync(output)
  setSummaryTimes(bytes, BUILT_AT_MS)
  writeFileSync(output, bytes)
}

export function installerCodes(...parts: readonly (string | Uint8Array)[]) {
  return { product: guidOf('product', ...parts), package: guidOf('package', ...parts) }
}
