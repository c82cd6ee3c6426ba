import { entropyOf, isPlaceholder } from './placeholder.ts'
import type { Match, Rule, Verdict } from './rule.ts'

const words = [
  'passw',
  'passphrase',
  'pwd=',
  'pwd:',
  'pwd"',
  "pwd'",
  'pwd ',
  'pwd<',
  'secret',
  'token',
  'apikey',
  'api_key',
  'api-key',
  'access_key',
  'accesskey',
  'access-key',
  'private_key',
  'auth_key',
  'signing_key',
  'encryption_key',
  'credential',
  'key_base',
  'master_key',
  '_auth',
]

/** Files that hold settings: a value there needs no quotes. */
const settings =
  /(?:^|\/)(?:\.env[^/]*|[^/]*\.env|Dockerfile[^/]*|Containerfile[^/]*|\.npmrc|\.yarnrc(?:\.yml)?|\.pypirc|\.boto|\.s3cfg|\.my\.cnf|credentials|config|environment|[^/]*\.(?:ya?ml|json|toml|ini|cfg|cnf|conf|config|properties|xml|tfvars|tfstate|tf|plist|sh|bash|zsh|profile|service|secrets?|hcl|gradle|settings|txt))$/i

/** What somebody wrote as a program. */
const programs =
  /\.(?:m?[jt]sx?|cjs|py|rb|php\d?|java|kt|go|rs|cs|c|cc|cpp|h|scala|pl|pm|lua|swift|ex|exs|groovy|ps1|sql|dart|vue|r)$/i

/** Names that speak of a secret but hold none. */
const harmlessNames =
  /(?:public|file|path|dir|url|uri|host|name|type|length|size|count|max|min|expir\w*|ttl|timeout|limit|header|field|param\w*|label|hint|prompt|policy|regex|pattern|format|algorithm|encoding|endpoint|version|enabled|required|csrf|xsrf|page|next|continuation|cancel|sort|stop|pad|unk|eos|bos|mask|sep|cls|special|syntax|lexer|parser|prev(?:ious)?|last|first|cache|partition|primary|foreign|idempotency)[-_.]?(?:passw(?:or)?d|passphrase|secret|token|key|credentials?)$/i

const name =
  '(?<name>[A-Za-z0-9_.-]{0,60}?(?:passw(?:or)?d|passwd|passphrase|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|auth[-_]?key|signing[-_]?key|encryption[-_]?key|master[-_]?key|secret[-_]?key[-_]?base|credentials?|npmAuthIdent|_auth)(?:[-_]?(?:base|value|string|prod(?:uction)?|staging|dev))?\\d{0,2})'

/** `NAME = value`, `"name": "value"`, `name => 'value'`, `<name>value</name>`, `define('NAME', 'value')`, `--name value`. */
const assignment = new RegExp(
  `(?<![A-Za-z0-9_])(?:${name})["'\\]]{0,2}(?<operator>\\s{0,4}(?:=>|:=|[:=])\\s{0,4}|>\\s{0,4}|["']\\s{0,2},\\s{0,2}(?=["'])|(?<=(?:\\bENV\\s+|--)[\\w-]{1,60})\\s{1,4})(?:(?<quote>["'\`])(?<quoted>(?:(?!\\k<quote>).){1,300})\\k<quote>|(?<bare>[^\\s"'\`<>,;(){}\\[\\]]{1,300})(?<next>[([{]?))`,
  'dgi',
)

/** The named settings of NAME=value, where the name says that the value is a secret and the value looks like one. */
export const assignmentRules: readonly Rule[] = [
  {
    id: 'aws-secret-key',
    title: 'AWS secret access key',
    severity: 'high',
    anchors: ['secret_access_key', 'secretaccesskey', 'aws_secret', 'secret_key', 'secretkey'],
    fixed: false,
    pattern:
      /(?:aws_?)?secret_?(?:access_?)?key(?:_id)?["']{0,2}\s{0,4}(?:=>|[:=])\s{0,4}["']?(?<value>[A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])/dgi,
    judge: ({ value }) => entropyOf(value) >= 4.2 && !/^[0-9a-f]+$/.test(value) && !/example/i.test(value),
  },
  {
    id: 'assigned-secret',
    title: 'secret in a setting',
    severity: 'medium',
    anchors: words,
    fixed: false,
    pattern: assignment,
    quick: hasOperator,
    judge: judgeAssignment,
  },
]

/** Within a few bytes behind the word stands what assigns. */
function hasOperator(bytes: Uint8Array, _start: number, end: number): boolean {
  const last = Math.min(bytes.length, end + 24)
  for (let at = end - 1; at < last; at++) {
    const byte = bytes[at] as number
    if (byte === 0x3d || byte === 0x3a || byte === 0x2c || byte === 0x3e || byte === 0x20) return true
    if (byte === 0x0a || byte === 0x28) return false
  }
  return false
}

function judgeAssignment({ groups, path, value, text, start }: Match): Verdict {
  const { name: key = '', operator = '', quoted, bare, next } = groups
  const isSetting = settings.test(path) && !/^\s*(?:#|\/\/|--|;|<!--)/.test(text)
  if (!isSetting && !programs.test(path) && !settings.test(path)) return false
  if (harmlessNames.test(key) || isPlaceholder(value)) return false
  if (
    operator.includes('>') &&
    !operator.includes('=') &&
    !text.slice(0, start).trimEnd().endsWith('<') &&
    !/\.(?:xml|config|plist|settings)$/i.test(path)
  )
    return false
  if (bare !== undefined && (next !== '' || !isSetting)) return false
  return looksSecret(value, { strict: !isSetting, quoted: quoted !== undefined, key })
}

const kinds =
  /^(?:\d+|(?:\d+[.:])+\d+|[a-z]+:\/\/[^@]*|\/[^ ]*|\.{1,2}\/[^ ]*|~\/[^ ]*|true|false|null|none|nil|undefined|string|str|bytes|int|number|boolean|any|object|required|optional|disabled|enabled)$/i

/** Whether a value reads like something random, or at least like a password, and not like a word, a name, an expression. */
function looksSecret(
  value: string,
  { strict, quoted, key }: { readonly strict: boolean; readonly quoted: boolean; readonly key: string },
): boolean {
  if (value.length < 8 || kinds.test(value) || /\s/.test(value)) return false
  if (/^[A-Za-z_$][\w$]*(?:\.[\w$]+|\[\S+\]|->\w+|::\w+)+$/.test(value) && !/\d.*\d/.test(value)) return false
  if (
    /^(?:sha\d+|md5|blake\w*)[-:]/i.test(value) ||
    /^(?:ssh-|ecdsa-|arn:|urn:|data:|ref\+|vault:|projects\/)/.test(value)
  )
    return false
  if (/[()<>|\\]/.test(value) && strict) return false
  // A repeated name is a default or a reference, not a value.
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  if (plain(key).includes(plain(value)) || plain(value).includes(plain(key))) return false
  const classes = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter(each => each.test(value)).length
  const entropy = entropyOf(value)
  if (/^[a-z]+(?:[-_.:/][a-z]+)*$/i.test(value) && !/[a-z][A-Z]{2}|[A-Z][a-z][A-Z]/.test(value)) return false
  if (strict) return quoted && /\d/.test(value) && classes >= 2 && entropy >= 3.2 && value.length >= 10
  return /\d|[^\w.-]|[a-z][A-Z]/.test(value) && classes >= 2 && entropy >= 2.7
}
