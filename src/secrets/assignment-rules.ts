import { looksSecret } from './looks-secret.ts'
import { entropyOf, isPlaceholder } from './placeholder.ts'
import type { Match, Rule, Verdict } from './rule.ts'
import { namesSecret } from './setting-names.ts'

const keys = [
  'access',
  'account',
  'api',
  'app',
  'auth',
  'client',
  'cookie',
  'encrypt',
  'encryption',
  'fernet',
  'hmac',
  'jwt',
]
const moreKeys = [
  'crypto',
  'deploy',
  'master',
  'private',
  'recovery',
  'service',
  'session',
  'shared',
  'signing',
  'storage',
  'unseal',
  'webhook',
]

/** In the name of a setting that holds a secret. */
const words = [
  'pass',
  ...['=', ':', '"', "'", ' ', '<', '_', '-', ']'].map(next => `pwd${next}`),
  ...['=', ':', '"', "'"].map(next => `psk${next}`),
  'secret',
  'token',
  'credential',
  'authtok',
  'bindpw',
  'masterauth',
  '_salt',
  '_auth',
  'authident',
  ...[...keys, ...moreKeys].flatMap(key => ['', '_', '-', '.'].map(between => `${key}${between}key`)),
]

/** Files that hold settings: a value there needs no quotes. */
const settings =
  /(?:^|\/)(?:\.[^/.]+|\.env[^/]*|[^/]*\.env|Dockerfile[^/]*|Containerfile[^/]*|\.[^/]*history|[^/.]+|\.yarnrc\.yml|\.my\.cnf|[^/]*\.(?:ya?ml|json|toml|ini|cfg|cnf|conf|config|properties|xml|tfvars|tfstate|tf|plist|sh|bash|zsh|profile|service|secrets?|hcl|gradle|settings|txt|repo|cred\w*|rc|log|env\w*|desktop|reg))$/i

/** What somebody wrote as a program. */
const programs =
  /\.(?:m?[jt]sx?|cjs|py|rb|php\d?|java|kt|go|rs|cs|c|cc|cpp|h|hpp|scala|pl|pm|lua|swift|ex|exs|groovy|ps1|sql|dart|vue|r|cljs?|edn|m|mm)$/i

const word =
  'pass|pwd|psk|secret|token|credential|authtok|bindpw|masterauth|_salt|_auth|authident|(?:access|account|api|app|auth|client|cookie|crypto|deploy|encrypt|encryption|fernet|hmac|jwt|master|private|recovery|service|session|shared|signing|storage|unseal|webhook)[-_.]?key'

/** From where it begins: tried at each of its dots, a hostile one would cost seconds. */
const name = `(?<![\\w.-])(?<name>[\\w.-]{0,100}?(?:${word})[\\w-]{0,30})`

const value = `(?:(?<quote>["'\`])(?<quoted>(?:(?!\\k<quote>).){1,300})\\k<quote>|(?<bare>[^\\s"'\`<>,;(){}\\[\\]]{1,300})(?<next>[([{]?))`

/** `NAME = value`, `"name": "value"`, `name => 'value'`, `<name>value</name>`, `define('NAME', 'value')`, `--name value`. */
const assignment = new RegExp(
  `${name}["'\\]]{0,2}(?<operator>\\s{0,4}(?:=>|:=|\\?=|[:=])\\s{0,4}|(?:\\s[\\w:]{1,20}=["'][^"'<>]{0,40}["']){0,3}>\\s{0,4}|["']\\s{0,2},\\s{0,12}(?=["'])|(?<=(?:\\b(?:ENV|define|setx?|setenv)\\s{1,4}|\\s--?)[\\w-]{1,60})\\s{1,8}(?!-))(?:base64:)?${value}`,
  'dgi',
)

/** `name="NAME" value="value"`, `- name: NAME` with `value: value` below, `<key>NAME</key><string>value</string>`. */
const pair = new RegExp(
  `(?:(?:key|name)["']?\\s{0,2}[:=]\\s{0,2}["']?${name}["']?\\s{0,2}(?:,\\s{0,40}|\\s{1,40})["']?value["']?\\s{0,2}[:=]\\s{0,2}|<key>${name}</key>\\s{0,40}<string>)(?:["'](?<quoted>[^"'\\n]{1,300})["']|(?<bare>[^\\s"'<>,{}]{1,300}))`.replace(
    `<key>${name}`,
    `<key>${name.replace('?<name>', '?<plist>')}`,
  ),
  'dgi',
)

/** `env("NAME") || "value"`, `${NAME:-value}`: what is taken when nobody says otherwise. */
const fallback = new RegExp(
  `(?:${name}["'\\])]{0,3}\\s{0,4}[:=][^"'\\n,;]{0,40}(?:["'][\\w.-]{1,60}["'][^"'\\n,;]{0,12})?(?:\\|\\||\\?\\?|\\?:|\\bor\\b)\\s{0,3}(?<quote>["'])(?<quoted>(?:(?!\\k<quote>).){1,200})\\k<quote>|\\$\\{${name.replace('?<name>', '?<plist>')}:?[-=](?<bare>[^}$\\s"']{1,200})\\})`,
  'dgi',
)

/** `requirepass value`, `login me password value`: files of settings without a sign between. */
const spaced = new RegExp(
  `(?=[\\w.-])(?<=^[ \\t]*|\\S[ \\t]+)${name}[ \\t]{1,8}(?:"(?<quoted>[^"\\n]{1,200})"|(?<bare>[^\\s"'{}<>;=]{1,200}));?[ \\t]*\\r?$`,
  'dgim',
)

/** Where such lines are: not in programs, scripts and prose. */
const spacedFiles = /(?:^|\/)(?:etc\/.*|\.[^/.]+|[^/]*\.(?:conf|cfg|cnf|cred\w*|rc|auth))$/i

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
    judge: ({ value: text }) => entropyOf(text) >= 4.2 && !/^[0-9a-f]+$/.test(text) && !/example/i.test(text),
  },
  setting({ pattern: assignment, quick: hasOperator, judge: judgeAssignment }),
  setting({ pattern: pair, reach: { before: 60, after: 500 }, quick: hasPair, judge: judgeAssignment }),
  setting({ pattern: fallback, quick: hasFallback, judge: judgeAssignment }),
  setting({ pattern: spaced, paths: spacedFiles, quick: hasOperator, judge: judgeSpaced }),
]

function setting(rule: Pick<Rule, 'pattern' | 'reach' | 'paths' | 'quick' | 'judge'>): Rule {
  return {
    id: 'assigned-secret',
    title: 'secret in a setting',
    severity: 'medium',
    anchors: words,
    fixed: false,
    ...rule,
  }
}

/** Within a few bytes behind the word stands what assigns. */
function hasOperator(bytes: Uint8Array, _start: number, end: number): boolean {
  const last = Math.min(bytes.length, end + 24)
  for (let at = end - 1; at < last; at++) {
    const byte = bytes[at] as number
    if (byte === 0x3d || byte === 0x3a || byte === 0x2c || byte === 0x3e || byte === 0x20 || byte === 0x09) return true
    if (byte === 0x0a || byte === 0x28) return false
  }
  return false
}

const latin1 = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.max(0, Math.min(bytes.length, to) - from)).toString('latin1')

function hasPair(bytes: Uint8Array, _start: number, end: number): boolean {
  return /^[\w-]{0,30}(?:["']?\s{0,2}(?:,\s{0,40}|\s{1,40})["']?value|<\/key>)/i.test(latin1(bytes, end, end + 90))
}

function hasFallback(bytes: Uint8Array, _start: number, end: number): boolean {
  return /^[^\n]{0,140}?(?:\|\||\?\?|\?:|\bor\b)|^\w{0,30}:?[-=][^}\n]*\}/i.test(latin1(bytes, end, end + 150))
}

function judgeAssignment({ groups, path, value: text, text: line, start }: Match): Verdict {
  const { name: plainName, plist, operator = '', quoted, bare, next } = groups
  const key = plainName ?? plist ?? ''
  const isProgram = programs.test(path)
  const isSetting = !isProgram && settings.test(path) && !isComment(line, start)
  if (!isSetting && !isProgram && !settings.test(path)) return false
  // Of a template in a line the part that a file holds is what counts; a name inside an ARN is none.
  if (
    !namesSecret(key) ||
    isPlaceholder(text) ||
    /\barn:\S*$/.test(line.slice(Math.max(0, start - 100), start + key.length))
  )
    return false
  if (
    operator.includes('>') &&
    !operator.includes('=>') &&
    !line.slice(0, start).trimEnd().endsWith('<') &&
    !/\.(?:xml|config|plist|settings)$/i.test(path)
  )
    return false
  if (bare !== undefined && ((next ?? '') !== '' || !isSetting)) return false
  return looksSecret(text, { strict: !isSetting, quoted: quoted !== undefined, key })
}

/** Two words beside each other are mostly prose. */
function judgeSpaced(match: Match): Verdict {
  return /\d|[a-z][A-Z]{2}|[A-Z][a-z][A-Z]/.test(match.value) && !match.value.includes('\\') && judgeAssignment(match)
}

/** Whether the line in which a match begins is a comment. */
function isComment(text: string, at: number): boolean {
  return /^\s*(?:#(?!\s*define)|\/\/|--\s|;|<!--)/.test(text.slice(text.lastIndexOf('\n', at) + 1))
}
