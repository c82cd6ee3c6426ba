import { entropyOf, isExampleToken, isPlaceholder } from './placeholder.ts'
import type { Match, Rule } from './rule.ts'

const schemes = [
  's://',
  'p://',
  'l://',
  'b://',
  'v://',
  't://',
  'e://',
  'r://',
  'q://',
  'n://',
  'd://',
  'h://',
  'c://',
  '2://',
  'x://',
]

/** Addresses that let in whoever has them, headers that do, and JSON Web Tokens. */
export const addressRules: readonly Rule[] = [
  {
    id: 'password-in-url',
    title: 'password in an address',
    severity: 'high',
    anchors: schemes,
    fixed: false,
    pattern:
      /(?<scheme>[a-z][a-z0-9+.-]{1,30}):\/\/(?<user>[^\s:/?#@"'<>`()[\]{}\\]{0,100}):(?<value>[^\s/?#@"'<>`\\]{3,200})@(?<host>[^\s"'<>`/:?#\\,;)]{1,200})/dgi,
    quick: (bytes, _start, end) => {
      for (let at = end; at < Math.min(bytes.length, end + 300); at++) {
        const byte = bytes[at] as number
        if (byte === 0x40) return true
        if (byte <= 0x20 || byte === 0x22 || byte === 0x2f || byte === 0x3c) return false
      }
      return false
    },
    judge: judgeUrl,
  },
  {
    id: 'token-in-url',
    title: 'token in an address',
    severity: 'high',
    anchors: schemes,
    fixed: false,
    pattern: /https?:\/\/(?<value>[A-Za-z0-9_-]{20,255})@(?<host>[a-z0-9.-]{3,200})/dgi,
    // The key in an address of Sentry only lets in events, and stands in every page.
    judge: ({ value, groups }) =>
      entropyOf(value) >= 3.5 &&
      /\d/.test(value) &&
      !isPlaceholder(value) &&
      !/(?:^|\.)(?:ingest\.)?(?:\w+\.)?sentry\.io$/i.test(groups['host'] ?? ''),
  },
  {
    id: 'signed-url',
    title: 'signed address',
    severity: 'medium',
    anchors: ['X-Amz-Signature=', 'X-Goog-Signature=', 'sig=', 'Key-Pair-Id=', 'Signature='],
    // Its form tells, so it is one in documentation, too.
    fixed: true,
    pattern:
      /(?:X-Amz-Signature=(?<amz>[0-9a-f]{64})|X-Goog-Signature=(?<goog>[0-9a-f]{128,})|(?<=(?:se|sv|sr|sp)=[^\s"']{1,300}[?&])sig=(?<azure>[A-Za-z0-9%+/]{40,90}(?:%3D|=){1,2})|(?<=[?&])sig=(?<azure2>[A-Za-z0-9%+/]{40,90}(?:%3D|=){1,2})(?=&(?:amp;)?s[evrp]=)|(?<=[?&](?:Expires|Policy)=[^\s"']{1,600}[?&])Signature=(?<front>[A-Za-z0-9~_%+/-]{27,}={0,2}))/dg,
    judge: ({ value }) => !isExampleToken(value) && entropyOf(value) >= 3,
  },
  {
    id: 'authorization-header',
    title: 'credentials in a header',
    severity: 'high',
    anchors: ['authorization'],
    fixed: false,
    pattern:
      /authorization["']?(?:\s{0,2}[:=,]\s{0,2}|\s{1,4})["']?(?<scheme>basic|bearer|token)\s+(?<value>[A-Za-z0-9+/_.~=-]{12,2000})/dgi,
    judge: ({ value, groups }) => {
      if (isPlaceholder(value)) return false
      if (groups['scheme']?.toLowerCase() === 'basic') return decodesToPair(value)
      return /\d/.test(value) && entropyOf(value) >= 3.3
    },
  },
  {
    id: 'json-web-token',
    title: 'JSON Web Token',
    severity: 'medium',
    anchors: ['eyJ0', 'eyJh', 'eyJr', 'eyJj', 'eyJl', 'eyJ4', 'eyAi', 'eyJi'],
    fixed: false,
    pattern:
      /(?<![A-Za-z0-9_-])(?<value>ey[JA][A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,6000}\.[A-Za-z0-9_-]{20,2000})(?![A-Za-z0-9_-])/dg,
    reach: { before: 16, after: 10_000 },
    judge: ({ value }) => isJwt(value),
  },
]

/** Hosts that examples have: RFC 2606. */
const exampleHost =
  /(?:^|\.)(?:example(?:\.(?:com|org|net|test))?|test|invalid|localhost\.localdomain|foo|bar|domain\.(?:com|tld)|host(?:name)?|server|yourdomain\.\w+|mycompany\.com)$/i

function judgeUrl({ groups, value }: Match): boolean {
  const { user = '', host = '' } = groups
  if (exampleHost.test(host) || /[${}%*]/.test(host)) return false
  const password = decoded(value)
  if (isPlaceholder(password) || /^(?:\$|%[^0-9A-F])/i.test(value)) return false
  if (/^(?:user(?:name)?|login)$/i.test(user) && /^(?:pw|pwd|pass\w*|secret)\d?$/i.test(password)) return false
  if (
    /^(?:\d+|port|pw|pwd|pass(?:word|wd)?\d{0,3}|secret|guest|postgres|root|admin|mysql|redis|x-oauth-basic)$/i.test(
      password,
    )
  )
    return false
  return password.toLowerCase() !== user.toLowerCase() && password.length >= 5 && new Set(password).size >= 4
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `user:password` in base64. */
export function decodesToPair(value: string): boolean {
  const text = Buffer.from(value, 'base64').toString('latin1')
  const colon = text.indexOf(':')
  if (colon < 0 || !/^[\x20-\x7e]+$/.test(text)) return false
  const password = text.slice(colon + 1)
  return password.length >= 4 && !isPlaceholder(password) && !/^(?:pass(?:word)?\d*|secret|pwd)$/i.test(password)
}

/** A header that names an algorithm, and a body of JSON: anything else is not a token, and `none` signs nothing. */
function isJwt(value: string): boolean {
  const [header = '', body = ''] = value.split('.')
  try {
    const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg?: unknown }
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as { name?: unknown; sub?: unknown }
    // The token that jwt.io and half of all documentation show.
    return (
      typeof alg === 'string' &&
      alg.toLowerCase() !== 'none' &&
      claims.name !== 'John Doe' &&
      claims.sub !== '1234567890'
    )
  } catch {
    return false
  }
}
