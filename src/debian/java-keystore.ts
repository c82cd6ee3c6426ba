import { createHash, type X509Certificate } from 'node:crypto'

/** The password of Java's own list of authorities, which everybody knows: it guards nothing. */
const password = 'changeit'

const magic = 0xfeedfeed
const version = 2
const trustedCertificate = 2

/**
 * A keystore of trusted certificates in Java's own format (JKS, which every release reads). `created`: milliseconds since 1970.
 * Aliases are in lower case, as Java looks them up.
 */
export function javaKeystore(
  certificates: readonly { readonly alias: string; readonly certificate: X509Certificate }[],
  created: number,
): Buffer {
  const parts = [u32(magic), u32(version), u32(certificates.length)]
  for (const { alias, certificate } of certificates) {
    const time = Buffer.alloc(8)
    time.writeBigInt64BE(BigInt(created))
    parts.push(u32(trustedCertificate), text(alias.toLowerCase()), time, text('X.509'))
    parts.push(u32(certificate.raw.length), certificate.raw)
  }
  const body = Buffer.concat(parts)
  // Against mistakes, not against forgery: a hash over the password, a constant and the bytes.
  const sum = createHash('sha1')
    .update(Buffer.from(password, 'utf16le').swap16())
    .update('Mighty Aphrodite', 'latin1')
    .update(body)
    .digest()
  return Buffer.concat([body, sum])
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** As `DataOutput.writeUTF` writes it; aliases have no characters for which that differs from UTF-8. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
