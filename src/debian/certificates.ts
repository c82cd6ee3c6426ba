import { X509Certificate } from 'node:crypto'
import { posix } from 'node:path'
import { subjectHash } from './certificate-name.ts'
import { javaKeystore } from './java-keystore.ts'
import { publicFile, type RootFiles } from './root-files.ts'

/** Where certificates lie that the base file adds, as update-ca-certificates(8) has it. */
export const localCertificates = 'usr/local/share/ca-certificates'
const packaged = 'usr/share/ca-certificates'
const directory = 'etc/ssl/certs'
const owner = { package: 'ca-certificates' } as const

interface Authority {
  /** Without directory and ending. */
  readonly name: string
  /** Without leading slash. */
  readonly path: string
  readonly bytes: Buffer
}

/**
 * Writes what `update-ca-certificates` writes, without running it: the bundle, a link for each certificate, and a link by the
 * hash of its subject (openssl-rehash(1ssl)); Java's keystore where `java` says so. Gives the number of certificates.
 * `created`: milliseconds since 1970.
 */
export function writeCertificates(
  files: RootFiles,
  { java, created }: { readonly java: boolean; readonly created: number },
): number {
  const authorities = [...packagedAuthorities(files), ...authoritiesBelow(files, localCertificates)]
  if (authorities.length === 0) return 0
  const bundle = authorities.map(({ bytes }) =>
    bytes.at(-1) === 10 ? bytes : Buffer.concat([bytes, Buffer.from('\n')]),
  )
  files.write(`${directory}/ca-certificates.crt`, Buffer.concat(bundle), { ...publicFile, ...owner })
  const hashes = new Map<string, number>()
  const parsed: { alias: string; certificate: X509Certificate }[] = []
  for (const { name, path, bytes } of authorities.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const pem = `${name.replaceAll(' ', '_').replace(/[()]/g, '=').replaceAll(',', '_')}.pem`
    files.link(`${directory}/${pem}`, `/${path}`, owner)
    const certificate = parse(bytes)
    if (certificate === undefined) continue
    const hash = subjectHash(certificate)
    const count = hashes.get(hash) ?? 0
    hashes.set(hash, count + 1)
    files.link(`${directory}/${hash}.${count}`, pem, owner)
    parsed.push({ alias: `debian:${pem}`, certificate })
  }
  // Where OpenSSL looks by itself; otherwise a part of the package openssl.
  for (const [name, target] of [
    ['certs', `/${directory}`],
    ['cert.pem', `/${directory}/ca-certificates.crt`],
  ] as const) {
    if (files.found(`usr/lib/ssl/${name}`) === 'nothing') files.link(`usr/lib/ssl/${name}`, target, owner)
  }
  if (java) files.write(`${directory}/java/cacerts`, javaKeystore(parsed, created), { ...publicFile, ...owner })
  return authorities.length
}

/** Those of the package: all, or the ones that its configuration keeps (`!` drops one). */
function packagedAuthorities(files: RootFiles): readonly Authority[] {
  const all = authoritiesBelow(files, packaged)
  const configuration = files.read('etc/ca-certificates.conf')?.toString('utf8')
  if (configuration === undefined) return all
  const chosen = new Set(configuration.split('\n').filter(line => line !== '' && !/^[#!]/.test(line)))
  return all.filter(({ path }) => chosen.has(path.slice(packaged.length + 1)))
}

function authoritiesBelow(files: RootFiles, path: string): readonly Authority[] {
  if (files.found(path) !== 'directory') return []
  return files.list(path).flatMap((name): readonly Authority[] => {
    const inner = `${path}/${name}`
    if (files.found(inner) === 'directory') return authoritiesBelow(files, inner)
    const bytes = name.endsWith('.crt') ? files.read(inner) : undefined
    return bytes ? [{ name: posix.basename(name, '.crt'), path: inner, bytes }] : []
  })
}

function parse(bytes: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes)
  } catch {
    return undefined
  }
}
