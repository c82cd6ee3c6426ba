import { looksTyped } from './looks-secret.ts'
import { isPlaceholder } from './placeholder.ts'
import type { Match, Rule, Verdict } from './rule.ts'

const typed = ({ value }: Match): Verdict => looksTyped(value) && !isPlaceholder(value) && !/[([{]$/.test(value)

/** A password between optional quotes, up to the next blank. */
const word = `(?:'(?<quoted>[^'\\n]{3,200})'|"(?<bare>[^"\\n]{3,200})"|(?<value>[^\\s"'|;&<>)]{3,200}))`

/** Anchors, and the pattern behind which the password stands. */
const commands: readonly (readonly [anchors: readonly string[], before: string])[] = [
  [
    ['curl ', 'wget ', 'httpie '],
    `\\b(?:curl|wget|https?ie?)(?=\\s)[^\\n|;]{0,300}?\\s(?:-u|--user|--proxy-user|-a|--auth)[ =]{0,2}["']?[^\\s:"'$]{1,80}:`,
  ],
  [['sshpass'], `\\bsshpass\\s+(?:-e\\s+)?-p\\s{0,2}`],
  [['mysql', 'mariadb'], `\\b(?:mysql|mariadb)[\\w-]{0,40}\\s[^\\n|;&]{0,200}?(?<=\\s)-p(?!assword)\\s{0,1}`],
  [[' login ', 'login -'], `\\blogin\\b[^\\n|;&]{0,200}?\\s-p[ =]`],
  [['redis-cli'], `\\bredis-cli\\s[^\\n|;&]{0,100}?-a\\s`],
  [['ldap'], `\\bldap(?:search|add|modify|delete|whoami|passwd)(?=\\s)[^\\n|;&]{0,300}?\\s-w\\s{1,2}`],
  [['htpasswd'], `\\bhtpasswd\\s+(?:-\\w+\\s+)*-\\w*b\\w*\\s+(?:-\\w+\\s+)*\\S+\\s+\\S+\\s+`],
  [['rabbitmqctl'], `\\brabbitmqctl\\s+(?:add_user|change_password)\\s+\\S+\\s+`],
  [['http-basic'], `\\bconfig\\s+(?:-\\S+\\s+)*http-basic\\.\\S+\\s+\\S+\\s+`],
  [['stats auth'], `\\bstats\\s+auth\\s+[\\w.-]{1,40}:`],
  [['pass:'], `-(?:pass(?:in|out)?|k)\\s+pass:`],
  [['securestring'], `ConvertTo-SecureString\\s+(?:-String\\s+)?(?=["'])`],
]

/** `host=db user=me password=value` in one string: libpq, ODBC, ADO. */
const place =
  '(?:host(?:name|addr)?|server|user(?: ?id|name)?|uid|dbname|database|data source|initial catalog)\\s{0,2}=\\s{0,2}'
const connection = new RegExp(
  `\\b${place}(?:[^"',\\n]|,(?!\\s)){0,300}?\\b(?:password|pwd)\\s{0,2}=\\s{0,2}(?<value>[^\\s;"'&<>]{3,200})|\\b(?:password|pwd)\\s{0,2}=\\s{0,2}(?<other>[^\\s;"'&<>]{3,200})[\\s;](?:[^"',\\n]|,(?!\\s)){0,200}?\\b${place}`,
  'dgi',
)

/** Passwords on command lines, in SQL and in scripts that type for somebody. */
export const commandRules: readonly Rule[] = [
  ...commands.map(([anchors, before]): Rule => rule(anchors, new RegExp(`${before}${word}`, 'dgi'))),
  rule(
    ['chpasswd'],
    /(?:echo|printf)\s+(?:-\w+\s+)?["']?[\w.-]{1,40}:(?<value>[^\s"'|\\]{4,200})(?:\\n)?["']?\s*\|\s*(?:sudo\s+)?chpasswd(?!\s+-e)/dgi,
  ),
  {
    ...rule(
      ['identified', 'password'],
      /\b(?:identified\s+(?:with\s+\S+\s+)?by|with\s+(?:encrypted\s+)?password|set\s+password\s*=)\s+(?:'(?<quoted>[^'\n]{4,200})'|"(?<bare>[^"\n]{4,200})")/dgi,
    ),
    id: 'password-in-sql',
    title: 'password in SQL',
    judge: found =>
      typed(found) && !/^(?:md5[0-9a-f]{32}|\*[0-9A-F]{40}|\$\w+\$.*|SCRAM-SHA-256\$.*)$/.test(found.value),
  },
  {
    ...rule(
      ['send '],
      /passw(?:or)?d[^\n]{0,60}\n(?:\s*\n)?\s*(?:exp_)?send(?:\s+--)?\s+["']?(?<value>[^\s"'\\]{4,200})(?:\\[rn])/dgi,
    ),
    title: 'password that a script types',
    reach: { before: 160, after: 240 },
  },
  {
    ...rule(['password=', 'password =', 'pwd='], connection),
    id: 'password-in-connection',
    title: 'password in a connection string',
  },
  {
    id: 'token-in-query',
    title: 'token in the query of an address',
    severity: 'high',
    anchors: ['token=', 'api_key=', 'apikey=', 'api-key=', 'password=', 'secret=', '&key=', '?key='],
    fixed: false,
    pattern:
      /[?&](?:amp;)?(?:[\w-]{0,30}token|api[-_]?key|key|[\w-]{0,20}secret|passw(?:or)?d)=(?<value>[A-Za-z0-9%._~+/-]{12,400})/dgi,
    judge: found => typed(found) && /\d.*\d/.test(found.value) && !/^[\d.-]+$|%s|%\w\(/.test(found.value),
  },
]

function rule(anchors: readonly string[], pattern: RegExp): Rule {
  return {
    id: 'password-in-command',
    title: 'password in a command',
    severity: 'high',
    anchors,
    fixed: false,
    pattern,
    judge: typed,
  }
}
