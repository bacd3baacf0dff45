import { readFileSync, rmSync, utimesSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { guidOf } from './guid.ts'
import { runTool } from './tool.ts'
import { fileVersion } from './version-info.ts'

const SOURCE = fileURLToPath(new URL('onec-agent.wxs', import.meta.url))

/** What Windows knows every release of the agent by. Never to be changed. */
const UPGRADE_CODE = '5D0B7B7E-6B0C-4E0A-9C53-3B0C9E2F7A11'

/** 2026-01-01: what stands for "now" where the same sources must give the same bytes. */
const BUILT_AT_S = 1_767_225_600

/** The installer of this executable. The same build is the same product; any other one replaces it. */
export async function buildInstaller(executable: string, version: string, output: string): Promise<void> {
  const release = fileVersion(version).join('.')
  const codes = installerCodes(readFileSync(executable), readFileSync(SOURCE), version)
  // The cabinet keeps the file's time.
  utimesSync(executable, BUILT_AT_S, BUILT_AT_S)
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
  await runTool('msibuild', [output, '-q', ...amendments(release)])
}

export function installerCodes(executable: Uint8Array, source: Uint8Array, version: string) {
  return {
    product: guidOf('product', version, executable, source),
    package: guidOf('package', version, executable, source),
  }
}

/** Properties of msiexec's command line that reach the part which runs as LocalSystem. */
const PROPERTIES = ['RELAYURL', 'ENROLCODE', 'PROXY', 'CA', 'NAME']

/** What wixl has no words for, as SQL. */
function amendments(release: string): string[] {
  return [
    // Without a version the installer would take Node's old file for the newer one, and leave the machine with none:
    // it decides before it removes the old release. A file with a version has no hash.
    `UPDATE \`File\` SET \`Version\` = '${release}.0', \`Language\` = '1033' WHERE \`File\` = 'AgentExecutable'`,
    "DELETE FROM `MsiFileHash` WHERE `File_` = 'AgentExecutable'",
    // Another build of the same release replaces it, too (513: features are kept, the same version included).
    "DELETE FROM `Upgrade` WHERE `ActionProperty` = 'WIX_UPGRADE_DETECTED'",
    `INSERT INTO \`Upgrade\` (\`UpgradeCode\`, \`VersionMin\`, \`VersionMax\`, \`Language\`, \`Attributes\`, \`Remove\`, \`ActionProperty\`) VALUES ('{${UPGRADE_CODE}}', '', '${release}', '', 513, '', 'WIX_UPGRADE_DETECTED')`,
    `UPDATE \`Property\` SET \`Value\` = '${['WIX_DOWNGRADE_DETECTED', 'WIX_UPGRADE_DETECTED', ...PROPERTIES].join(';')}' WHERE \`Property\` = 'SecureCustomProperties'`,
    // The code waits in the registry until the service takes it: an RDS host has many users who could read it there.
    'CREATE TABLE `MsiLockPermissionsEx` (`MsiLockPermissionsEx` CHAR(72) NOT NULL, `LockObject` CHAR(72) NOT NULL, `Table` CHAR(32) NOT NULL, `SDDLText` LONGCHAR NOT NULL, `Condition` CHAR(255) PRIMARY KEY `MsiLockPermissionsEx`)',
    "INSERT INTO `MsiLockPermissionsEx` (`MsiLockPermissionsEx`, `LockObject`, `Table`, `SDDLText`) VALUES ('SetupKey', 'SetupEnrolCode', 'Registry', 'D:PAI(A;CI;KA;;;SY)(A;CI;KA;;;BA)')",
  ]
}
