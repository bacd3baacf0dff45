/** Properties of msiexec's command line that reach the part which runs as LocalSystem. */
const PROPERTIES = ['RELAYURL', 'ENROLCODE', 'PROXY', 'CA', 'NAME', 'PURGE']

/** What is said when a condition does not hold; wixl crashes at anything but ASCII. */
const MESSAGES: Record<string, string> = {
  'NOT WIX_DOWNGRADE_DETECTED':
    'A newer onec-agent is installed: remove it first. Установлен более новый onec-agent: сначала удалите его.',
  'Installed OR (VersionNT64 AND WINDOWSBUILD >= 14393)':
    'onec-agent needs 64-bit Windows Server 2016 or newer. For older servers see the guide. Нужна 64-разрядная Windows Server 2016 или новее. О более старых серверах сказано в руководстве.',
  'NOT REINSTALL OR NOT (RELAYURL OR ENROLCODE OR PROXY OR CA OR NAME)':
    'A repair takes no settings: onec-agent enrol --service changes them. Восстановление не принимает настроек: их меняет onec-agent enrol --service.',
}

/** What wixl has no words for, as SQL of Windows Installer. `release` is "1.2.3". */
export function amendments(release: string, upgradeCode: string): string[] {
  return [
    ...nameVersion(release),
    ...replaceSameRelease(release, upgradeCode),
    ...removeInTransaction(),
    ...passProperties(),
    ...translate(),
    ...lockSetup(),
    ...removeOwnFiles(),
  ]
}

/**
 * Without a version the installer would take the installed file for the newer one, and leave the machine with none: it
 * decides before it removes the old release. A file with a version has no hash.
 */
const nameVersion = (release: string) => [
  `UPDATE \`File\` SET \`Version\` = '${release}.0', \`Language\` = '1033' WHERE \`File\` = 'AgentExecutable'`,
  "DELETE FROM `MsiFileHash` WHERE `File_` = 'AgentExecutable'",
]

/** Another build of the same release replaces it, too. 513: features are kept, the same version is included. */
const replaceSameRelease = (release: string, upgradeCode: string) => [
  "DELETE FROM `Upgrade` WHERE `ActionProperty` = 'WIX_UPGRADE_DETECTED'",
  `INSERT INTO \`Upgrade\` (\`UpgradeCode\`, \`VersionMin\`, \`VersionMax\`, \`Language\`, \`Attributes\`, \`Remove\`, \`ActionProperty\`)
   VALUES ('{${upgradeCode}}', '', '${release}', '', 513, '', 'WIX_UPGRADE_DETECTED')`,
]

/** Between InstallInitialize (1500) and the rest: an upgrade that fails brings the old release back. */
const removeInTransaction = () => [
  "UPDATE `InstallExecuteSequence` SET `Sequence` = 1501 WHERE `Action` = 'RemoveExistingProducts'",
]

const passProperties = () => [
  `UPDATE \`Property\` SET \`Value\` = '${['WIX_DOWNGRADE_DETECTED', 'WIX_UPGRADE_DETECTED', ...PROPERTIES].join(';')}'
   WHERE \`Property\` = 'SecureCustomProperties'`,
]

const translate = () =>
  Object.entries(MESSAGES).map(
    ([condition, message]) =>
      `UPDATE \`LaunchCondition\` SET \`Description\` = '${message}' WHERE \`Condition\` = '${condition}'`,
  )

/** The code waits in the registry until the service takes it: an RDS host has many users who could read it there. */
const lockSetup = () => [
  `CREATE TABLE \`MsiLockPermissionsEx\` (\`MsiLockPermissionsEx\` CHAR(72) NOT NULL, \`LockObject\` CHAR(72) NOT NULL,
   \`Table\` CHAR(32) NOT NULL, \`SDDLText\` LONGCHAR NOT NULL, \`Condition\` CHAR(255) PRIMARY KEY \`MsiLockPermissionsEx\`)`,
  `INSERT INTO \`MsiLockPermissionsEx\` (\`MsiLockPermissionsEx\`, \`LockObject\`, \`Table\`, \`SDDLText\`)
   VALUES ('SetupKey', 'SetupEnrolCode', 'Registry', 'D:PAI(A;CI;KA;;;SY)(A;CI;KA;;;BA)')`,
]

/** What `service install` leaves of an older executable, and the folder. 2: when it is uninstalled. */
const removeOwnFiles = () =>
  [
    ['OlderExecutables', 'onec-agent.exe.*'],
    ['Folder', ''],
  ].map(
    ([key, name]) =>
      `INSERT INTO \`RemoveFile\` (\`FileKey\`, \`Component_\`, \`FileName\`, \`DirProperty\`, \`InstallMode\`)
       VALUES ('${key}', 'Agent', '${name}', 'INSTALLDIR', 2)`,
  )
