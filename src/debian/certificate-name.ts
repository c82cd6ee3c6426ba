import { createHash, X509Certificate } from 'node:crypto'

/** One DER value (ITU-T X.690): its tag, its content, and where the next one begins. */
interface Der {
  readonly tag: number
  readonly content: Buffer
  /** Tag, length and content. */
  readonly whole: Buffer
}

/** Values that stand one after the other. Throws for lengths that reach beyond the end. */
function readDer(bytes: Buffer): readonly Der[] {
  const values: Der[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at)
    const first = bytes.readUInt8(at + 1)
    const digits = first < 128 ? 0 : first & 127
    if (digits > 4) throw new RangeError('a DER value is too long')
    const length = digits === 0 ? first : bytes.readUIntBE(at + 2, digits)
    const start = at + 2 + digits
    const end = start + length
    if (end > bytes.length) throw new RangeError('a DER value reaches beyond the end')
    values.push({ tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) })
    at = end
  }
  return values
}

function encodeDer(tag: number, content: Buffer): Buffer {
  const { length } = content
  const digits = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...digits]), content])
}

const tags = { set: 0x31, sequence: 0x30, utf8: 12, version: 0xa0 } as const

/** String types → how their bytes become text: those that OpenSSL takes together for comparing names. */
const texts: Readonly<Record<number, (bytes: Buffer) => string>> = {
  12: bytes => bytes.toString('utf8'),
  19: bytes => bytes.toString('latin1'),
  20: bytes => bytes.toString('latin1'),
  22: bytes => bytes.toString('latin1'),
  26: bytes => bytes.toString('latin1'),
  28: bytes => Buffer.from(bytes).swap32().toString('utf16le'),
  30: bytes => Buffer.from(bytes).swap16().toString('utf16le'),
}

/**
 * The hash under which OpenSSL looks a certificate up by its subject (`openssl x509 -subject_hash`, 8 hexadecimal digits): SHA-1 of
 * the subject with texts in UTF-8, in lower case and without superfluous blanks. Throws for what is no certificate.
 */
export function subjectHash(certificate: X509Certificate): string {
  const [outer] = readDer(certificate.raw)
  const [body] = readDer(outer?.content ?? Buffer.alloc(0))
  const fields = readDer(body?.content ?? Buffer.alloc(0)).filter(({ tag }) => tag !== tags.version)
  // serialNumber, signature, issuer, validity, subject (RFC 5280, section 4.1).
  const subject = fields[4]
  if (subject === undefined) throw new RangeError('a certificate has no subject')
  const canonical = readDer(subject.content).map(set =>
    encodeDer(tags.set, Buffer.concat(readDer(set.content).map(canonicalPart))),
  )
  const digest = createHash('sha1').update(Buffer.concat(canonical)).digest()
  return digest.readUInt32LE(0).toString(16).padStart(8, '0')
}

function canonicalPart({ content }: Der): Buffer {
  const [type, value] = readDer(content)
  if (type === undefined || value === undefined) throw new RangeError('a part of a name is no pair')
  const read = texts[value.tag]
  if (read === undefined) return encodeDer(tags.sequence, Buffer.concat([type.whole, value.whole]))
  const text = read(value.content)
    .replace(/^[\t\n\v\f\r ]+|[\t\n\v\f\r ]+$/g, '')
    .replace(/[\t\n\v\f\r ]+/g, ' ')
    .replace(/[A-Z]/g, letter => letter.toLowerCase())
  return encodeDer(tags.sequence, Buffer.concat([type.whole, encodeDer(tags.utf8, Buffer.from(text, 'utf8'))]))
}
