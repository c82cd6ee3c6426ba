import { readFileSync } from 'node:fs'
import { getCACertificates } from 'node:tls'
import { UserError } from '#diagnostics'
import type { HttpOptions } from './http.ts'

/**
 * The certificate authorities to trust: Node's own and those in the files that the options and `SSL_CERT_FILE` and
 * `NODE_EXTRA_CA_CERTS` name. Undefined where nothing is to be added to Node's own. Throws a `UserError` for a file that cannot
 * be read or holds no certificate.
 */
export function certificateAuthorities({ env, caFiles = [] }: HttpOptions): string[] | undefined {
  const named: (readonly [string, string])[] = caFiles.map(file => ['the option', file] as const)
  for (const variable of ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS']) {
    const file = env[variable]
    if (file) named.push([variable, file])
  }
  const files = new Map(named.map(([from, file]) => [file, from] as const))
  if (files.size === 0) return undefined
  const all = new Set(getCACertificates('default'))
  for (const [file, from] of files) for (const pem of readCertificates(file, from)) all.add(pem)
  return [...all]
}

function readCertificates(file: string, from: string): readonly string[] {
  let text: string
  try {
    text = readFileSync(file, 'latin1')
  } catch (cause) {
    throw new UserError(`cannot read the certificate authorities in ${file}`, {
      hint: `check the file that ${from} names`,
      cause,
    })
  }
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g)
  if (found) return found.map(pem => (pem.endsWith('\n') ? pem : `${pem}\n`))
  throw new UserError(`${file} holds no certificate`, { hint: `${from} must name a file with PEM certificates` })
}
