import { describe, expect, it } from 'vitest'
import { maskSecrets } from '../../../agent/logs/secrets.ts'

const SECRET = 'S3cr-Пароль!9'

describe('maskSecrets', () => {
  it.each([
    `Srvr="srv1c";Ref="buh";Usr="Админ";Pwd="${SECRET}";`,
    `Srvr=srv1c;Ref=buh;Usr=Админ;Pwd=${SECRET};`,
    `Descr='connect ""Srvr=""srv"";Pwd=""${SECRET}"";"" failed'`,
    `DBUID=sa;DBPwd=${SECRET};DBSrvr=sql`,
    `Data Source=sql;User ID=sa;Password=${SECRET}`,
    `Password='${SECRET}' rest`,
    `1cv8.exe DESIGNER /S srv\\buh /N Админ /P ${SECRET} /DumpIB D:\\b.dt`,
    `1cv8.exe DESIGNER /S srv\\buh /N "Админ" /P "${SECRET}" /Out log.txt`,
    `1cv8.exe ENTERPRISE /F D:\\базы\\buh /NАдмин /P${SECRET}`,
    `1cv8 DESIGNER /ConfigurationRepositoryP ${SECRET} /Out x`,
    `sqlcmd -S . -U sa -P ${SECRET} -Q "backup"`,
    `ibcmd infobase dump --db-pwd=${SECRET} --db-user=sa`,
    `rac infobase --cluster-pwd=${SECRET} --infobase-pwd ${SECRET} list`,
    `{"user":"sa","password":"${SECRET}","x":1}`,
    `{"user":"sa","password": "${SECRET}"}`,
    `"{\\"password\\":\\"${SECRET}\\"}"`,
    `Пользователь: Админ, Пароль: ${SECRET}`,
    `пароль=${SECRET}`,
    `client_secret=${SECRET}`,
    'ohr1.k1.romashka.0.h1.S3cr.et',
    'Authorization: Bearer S3cr-.token',
    'Authorization: Basic S3crOnlyBase64==',
    `https://user:${SECRET}@host/path`,
    `ftp://бот:${SECRET}@nas/backup`,
    `C:\\>net use Z: \\\\nas\\backup ${SECRET} /user:nas\\bot /persistent:no`,
    `net use "\\\\nas\\backup" "${SECRET}" /user:bot`,
    `net.exe use \\\\nas\\backup /user:nas\\bot ${SECRET}`,
    `cmdkey /add:nas /user:bot /pass:${SECRET}`,
    `set FTP_PASS=${SECRET}`,
    `"C:\\Program Files\\7-Zip\\7z.exe" a -p${SECRET} -mhe=on D:\\копия.7z D:\\база`,
    `7z a "-p${SECRET} с пробелом" x.7z`,
    `rar a -hp"${SECRET}" -r копия.rar база`,
    `curl -u bot:${SECRET} -T копия.7z ftps://nas/`,
  ])('%s', line => {
    const masked = maskSecrets(line)
    expect(masked).toContain('***')
    expect(masked).not.toContain('S3cr')
  })

  it('masks all of a password with spaces, and what follows a name with spaces', () => {
    expect(maskSecrets(`7z a "-p${SECRET} с пробелом" x.7z`)).toBe('7z a "-p***" x.7z')
    expect(maskSecrets(`rar a -hp"${SECRET} x" копия.rar`)).toBe('rar a -hp*** копия.rar')
    expect(maskSecrets(`net use Z: "\\\\nas\\мои копии" ${SECRET} /user:bot`)).toBe(
      'net use Z: "\\\\nas\\мои копии" *** /user:bot',
    )
    expect(maskSecrets(`net use "\\\\nas\\мои копии" /user:"ПК\\мой бот" ${SECRET} /y`)).toBe(
      'net use "\\\\nas\\мои копии" /user:"ПК\\мой бот" *** /y',
    )
    expect(maskSecrets(`net use Z: \\\\nas\\b "/user:ПК\\мой бот" "${SECRET} x"`)).toBe(
      'net use Z: \\\\nas\\b "/user:ПК\\мой бот" ***',
    )
    expect(maskSecrets(`curl -H "x: y" -u "мой бот:${SECRET} x" -T a ftps://nas/`)).toBe(
      'curl -H "x: y" -u "мой бот:***" -T a ftps://nas/',
    )
    expect(maskSecrets(`curl -H "x: y" -u bot:${SECRET} -T a`)).toBe('curl -H "x: y" -u bot:*** -T a')
  })

  it('leaves the rest of the line', () => {
    expect(maskSecrets(`Srvr="s";Usr="Админ";Pwd="${SECRET}";Locale=ru`)).toBe('Srvr="s";Usr="Админ";Pwd=***;Locale=ru')
    expect(maskSecrets(`1cv8 DESIGNER /N a /P ${SECRET} /Out D:\\l.txt`)).toBe(
      '1cv8 DESIGNER /N a /P *** /Out D:\\l.txt',
    )
    expect(maskSecrets(`sqlcmd -U sa -P ${SECRET} -Q "x"`)).toBe('sqlcmd -U sa -P *** -Q "x"')
  })

  it.each([
    'Проверка паролей завершена',
    'passed: 10 tests, bypass=off',
    'копия D:/Program Files/1cv8 готова',
    '1cv8 ENTERPRISE /N admin /Proxy -PSrv proxy.local',
    'https://example.ru/path?x=1',
    'a /P',
    '10:00:01.123456-15,CALL,1,process=rphost,p:processName=buh',
    'compass: north',
    '7z a -mx=5 -r копия.7z база',
    'net use Z: \\\\nas\\backup /user:bot *',
    'net use Z: /delete /y',
  ])('%s is left as it is', line => {
    expect(maskSecrets(line)).toBe(line)
  })

  it.each([
    ['quotes', `pwd ${'"\\'.repeat(20_000)} /P ${'"'.repeat(10_000)}`],
    ['switches', `1cv8 ${' /P'.repeat(20_000)}`],
    ['names', 'password'.repeat(8_000)],
    ['names with an open quote', 'password="'.repeat(6_000)],
    ['a URL', `://${'a'.repeat(60_000)}:`],
    ['many URLs', '://a:'.repeat(12_000)],
    ['dashes', `--${'-a'.repeat(30_000)} token`],
    ['blanks', `password${' '.repeat(60_000)}`],
  ])(
    'ends with a hostile line of %s',
    (_, line) => {
      // A rule that is not bounded would take minutes here, and the test its whole time.
      expect(typeof maskSecrets(line)).toBe('string')
    },
    5_000,
  )
})
