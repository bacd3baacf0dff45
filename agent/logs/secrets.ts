/** What stands for a secret. */
const MASK = '***'

/** Most lines have nothing to hide, and this says so quickly. */
const SUSPECT = /pwd|pass|парол|secret|token|api[_-]?key|bearer|basic |:\/\/|[/-]h?p|ohr1\.|net1?(?:\.exe)?\s+use|curl/i

/**
 * Ends of the names whose value is a secret: `Pwd`, `db-pwd`, `userPassword`, `Пароль`, `client_secret`, `api_key`;
 * `pass` as a word of its own, `FTP_PASS` too, but not `bypass`.
 */
const NAME = '(?:pwd|passw(?:or)?d|passphrase|(?<![\\p{L}\\p{N}])pass|парол[ья]|secret|token|api[_-]?key)'

/**
 * A value in quotes (1C doubles them inside others: `Pwd=""x""`), or up to what ends it. Everything is bounded, since a
 * line may be 64 KB of anything, and a rule must not take longer than the line is long.
 */
const QUOTED = String.raw`""[^"]{0,256}""|''[^']{0,256}''|\\"(?:[^"\\]|\\[^"]){0,256}\\"|"(?:[^"\\]|\\.|""){0,256}"|'(?:[^'\\]|\\.|''){0,256}'`
const BARE = String.raw`["']{0,2}(?:(?![,&][\p{L}\p{N}_:]{1,64}=)[^\s;"']){1,256}`
const VALUE = `(?:${QUOTED}|${BARE})`

interface Rule {
  /** Only a line with this is looked at. */
  readonly where?: RegExp
  readonly what: RegExp
}

/** Each match ends with the secret; its first group is what stays. */
const RULES: readonly Rule[] = [
  // Srvr="s";Usr="u";Pwd="p"; · Password=p; · --db-pwd=p · "password": "p" · Пароль: p
  { what: new RegExp(String.raw`(${NAME}(?:\\?["'])?\s{0,8}[=:]\s{0,8})${VALUE}`, 'giu') },
  // --password p · -PPwd p
  { what: new RegExp(String.raw`((?<=(?:^|\s)-[\w.-]{0,40})${NAME}\s{1,8})(?!-)${VALUE}`, 'giu') },
  // 1cv8 DESIGNER /S srv\base /N admin /P secret · /ConfigurationRepositoryP · sqlcmd -U sa -P secret
  {
    what: new RegExp(
      String.raw`((?<=^|[\s"'])(?:\/P|\/WSP|\/ConfigurationRepositoryP|-P)\s{1,8})(?![/-])(?:${QUOTED}|\S{1,256})`,
      'gu',
    ),
  },
  // /Psecret, glued as 1C takes it too; /Proxy is another key.
  {
    where: /1cv8|\s\/(?:N|S|F|IBName|IBConnectionString)/i,
    what: new RegExp(String.raw`((?<=[\s"'])\/P)(?!roxy|\s)(?:${QUOTED}|\S{1,256})`, 'gu'),
  },
  { where: /\b(?:sqlcmd|osql|bcp)\b/i, what: /((?<=\s)-P)(?!\s)\S{1,256}/gu },
  // What scripts of backups say, their echo being on. rar a -hpSecret · 7z a -pSecret
  {
    where: /\b(?:7z[ar]?|(?:win)?rar)\b/i,
    what: new RegExp(String.raw`((?<=\s)"?-h?p)(?:(?<="-h?p)[^"]{1,256}|${QUOTED}|[^\s"]{1,256})`, 'giu'),
  },
  // net use Z: \\nas\backup secret /user:bot · net use "\\nas\my backup" /user:bot secret
  {
    where: /\bnet1?(?:\.exe)?\s+use\b/i,
    what: new RegExp(
      String.raw`((?:"(?:\\\\|\/user:)[^"]{1,256}"|(?<!")(?:\\\\|\/user:)(?:"[^"]{1,256}"|[^\s"]{1,256}))\s{1,8})(?!"?\/user:|[/*\\])(?:${QUOTED}|\S{1,256})`,
      'giu',
    ),
  },
  // curl -u "bot:my secret" · curl -u bot:secret
  { where: /\bcurl\b/i, what: /((?<=\s)(?:-u|--user)\s{0,8}(["'])[^:"']{1,128}:)(?:(?!\2).){1,256}/gu },
  { where: /\bcurl\b/i, what: /((?<=\s)(?:-u|--user)\s{0,8}[^\s:"']{1,128}:)[^\s"]{1,256}/gu },
  { what: /\b((?:Bearer|Basic)\s{1,8})[A-Za-z0-9+/_=.~-]{6,}/g },
  // A host's own token.
  { what: /(\bohr1\.)[\w.-]{8,}/g },
  // http://user:secret@host
  { what: /((?<=:\/\/[^\s:/@]{1,128}):)[^\s/@]{1,256}(?=@)/g },
]

/** The text without the passwords that connection strings and command lines of 1C and SQL Server carry. */
export function maskSecrets(text: string): string {
  if (!SUSPECT.test(text)) return text
  const rules = RULES.filter(({ where }) => where === undefined || where.test(text))
  return rules.reduce((masked, { what }) => masked.replace(what, `$1${MASK}`), text)
}
