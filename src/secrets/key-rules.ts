import type { Match, Rule, Verdict } from './rule.ts'

/** Private keys as text. What is encrypted is told too, as less bad. */
export const keyRules: readonly Rule[] = [
  {
    id: 'private-key',
    title: 'private key',
    severity: 'high',
    anchors: ['-----BEGIN ', '---- BEGIN '],
    fixed: true,
    pattern:
      /-{4,5} ?BEGIN (?<kind>[A-Z0-9 ]{0,20}PRIVATE KEY(?: BLOCK)?) ?-{4,5}(?<value>(?:(?!-- ?BEGIN ).){40,}?)(?:-{4,5} ?END |$)/dgs,
    reach: { before: 60, after: 24_000 },
    quick: (bytes, start) =>
      Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(60, bytes.length - start)).includes('PRIVATE KEY'),
    judge: judgePem,
  },
  {
    id: 'putty-key',
    title: 'PuTTY private key',
    severity: 'high',
    anchors: ['PuTTY-User-Key-File-'],
    fixed: true,
    pattern:
      /PuTTY-User-Key-File-\d: [^\n]{1,60}\n.{0,2000}?Encryption: (?<cipher>[^\r\n]+).{0,16000}?Private-Lines: \d+\r?\n(?<value>[A-Za-z0-9+/=\r\n]{40,})/dgs,
    reach: { before: 0, after: 24_000 },
    judge: ({ groups }) => (groups['cipher']?.trim() === 'none' ? true : 'low'),
  },
  {
    id: 'wireguard-key',
    title: 'WireGuard private key',
    severity: 'high',
    anchors: ['PrivateKey', 'PresharedKey'],
    fixed: false,
    pattern: /(?:PrivateKey|PresharedKey)\s*=\s*(?<value>[A-Za-z0-9+/]{43}=)(?![A-Za-z0-9+/=])/dg,
  },
  {
    id: 'kubeconfig-key',
    title: 'client key in a kube config',
    severity: 'high',
    anchors: ['client-key-data'],
    fixed: false,
    pattern: /client-key-data["']?\s*:\s*["']?(?<value>[A-Za-z0-9+/]{60,}={0,2})/dg,
    judge: ({ value }) => Buffer.from(value.slice(0, 120), 'base64').includes('PRIVATE KEY'),
    reach: { before: 0, after: 16_000 },
  },
  {
    id: 'private-key',
    title: 'private key in base64',
    severity: 'high',
    // `-----BEGIN `, encoded
    anchors: ['LS0tLS1CRUdJTi'],
    fixed: true,
    pattern: /(?<![A-Za-z0-9+/])(?<value>LS0tLS1CRUdJTi[A-Za-z0-9+/]{60,}={0,2})/dg,
    reach: { before: 1, after: 16_000 },
    judge: ({ value }) => /PRIVATE KEY(?: BLOCK)?-----\s+\S{40}/.test(Buffer.from(value, 'base64').toString('latin1')),
  },
  {
    id: 'private-jwk',
    title: 'private JSON Web Key',
    severity: 'high',
    anchors: ['"kty"'],
    fixed: true,
    // Private parts: RFC 7518 sections 6.2.2, 6.3.2 and 6.4.
    pattern:
      /"kty"\s*:\s*"(?:(?:RSA|EC|OKP)"[^{}]{0,3000}?"d"|oct"[^{}]{0,300}?"k")\s*:\s*"(?<value>[A-Za-z0-9_-]{20,})"|"(?:d|k)"\s*:\s*"(?<other>[A-Za-z0-9_-]{20,})"[^{}]{0,3000}?"kty"\s*:\s*"(?:RSA|EC|OKP|oct)"/dg,
    reach: { before: 3000, after: 3000 },
  },
  {
    id: 'openvpn-key',
    title: 'OpenVPN static key',
    severity: 'high',
    anchors: ['-----BEGIN OpenVPN Static key'],
    fixed: true,
    pattern: /-----BEGIN OpenVPN Static key V1-----\s+(?<value>(?:[0-9a-f]{32}\s+){16})-----END/dg,
    reach: { before: 0, after: 700 },
  },
]

/** A body of base64 that is a key: DER, or OpenSSH's own form, or at least long and without gaps. */
function judgePem({ value, groups, text, start }: Match): Verdict {
  const kind = groups['kind'] ?? ''
  const plain = value.replace(/\\r|\\n|\\t/g, '\n')
  const lines = plain.split(/\r?\n/).map(line => line.replace(/^[\s"'+,#|>*/]+|[\s"'+,;\\]+$/g, ''))
  const headers = lines.filter(line => /^[A-Za-z-]+: /.test(line))
  const body = lines.filter(line => !/^[A-Za-z-]+: /.test(line)).join('')
  // An OpenPGP checksum is `=` and four characters (RFC 4880 section 6.1); padding comes before it, or there is none.
  const base64 = /^[A-Za-z0-9+/]*(?:={1,2}(?=$|=)|)/.exec(body)?.[0] ?? ''
  // What is not base64 in the middle is a gap that somebody left.
  if (base64.length < 60 || (base64.length < body.length && !/^=[A-Za-z0-9+/]{4}$/.test(body.slice(base64.length))))
    return false
  const bytes = Buffer.from(base64, 'base64')
  const known = isDer(bytes) || bytes.subarray(0, 14).toString('latin1') === 'openssh-key-v1'
  if (!known && (base64.length < 160 || new Set(base64).size < 30)) return false
  if (isEncrypted(kind, headers, bytes))
    return { id: 'encrypted-private-key', title: 'private key, encrypted', severity: 'low' }
  const before = text.slice(Math.max(0, start - 40), start)
  if (/"private_key"\s*:\s*"$/.test(before)) {
    return { id: 'gcp-service-account', title: 'key of a Google service account', severity: 'high' }
  }
  return true
}

function isDer(bytes: Buffer): boolean {
  const length = bytes[1] ?? 0
  if (bytes[0] !== 0x30) return false
  if (length < 0x80) return bytes.length >= length + 2
  const size = length & 0x7f
  return size <= 3 && bytes.length >= 2 + size + bytes.readUIntBE(2, size)
}

function isEncrypted(kind: string, headers: readonly string[], bytes: Buffer): boolean {
  if (kind.includes('ENCRYPTED') || headers.some(line => /^Proc-Type:.*ENCRYPTED/.test(line))) return true
  if (bytes.subarray(0, 14).toString('latin1') !== 'openssh-key-v1') return false
  // "openssh-key-v1\0", then the cipher's name as a string with its length.
  return bytes.subarray(19, 23).toString('latin1') !== 'none'
}
