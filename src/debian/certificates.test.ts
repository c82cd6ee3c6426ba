import { spawnSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { subjectHash } from './certificate-name.ts'
import { javaKeystore } from './java-keystore.ts'

const openssl = spawnSync('openssl', ['version']).status === 0
const store = '/usr/share/ca-certificates/mozilla'

describe.skipIf(!openssl)('hashes of subjects are those of openssl (skipped without openssl)', () => {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-certificates-'))
  afterAll(() => rmSync(directory, { recursive: true }))
  const opensslHash = (file: string): string =>
    spawnSync('openssl', ['x509', '-noout', '-subject_hash', '-in', file], { encoding: 'utf8' }).stdout.trim()

  test.each([
    ['/CN=plain'],
    ['/C=DE/O=Some  Body /OU= x/CN=Ümläut GmbH'],
    ['/C=US/O=ACME Inc./emailAddress=A@B.example/CN=UPPER lower'],
    [`/CN=${'long '.repeat(12)}/O=${'x'.repeat(64)}`],
    ['/DC=org/DC=example/CN=two domain components'],
  ])('%s', subject => {
    const file = join(directory, 'c.pem')
    const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-utf8']
    const made = spawnSync('openssl', [...words, '-subj', subject, '-keyout', join(directory, 'k'), '-out', file])
    expect(made.status, String(made.stderr)).toBe(0)
    expect(subjectHash(new X509Certificate(readFileSync(file)))).toBe(opensslHash(file))
  })

  test.skipIf(!existsSync(store))('some authorities of this machine (skipped without ca-certificates)', () => {
    for (const name of readdirSync(store).filter((_, i) => i % 12 === 0)) {
      const file = join(store, name)
      expect(`${name} ${subjectHash(new X509Certificate(readFileSync(file)))}`).toBe(`${name} ${opensslHash(file)}`)
    }
  })

  test("Java's keystore holds certificates and a hash over them", () => {
    const file = join(directory, 'j.pem')
    spawnSync('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=j',
      '-keyout',
      `${file}.k`,
      '-out',
      file,
    ])
    const certificate = new X509Certificate(readFileSync(file))
    const bytes = javaKeystore([{ alias: 'Debian:J', certificate }], 1000)
    expect(bytes.readUInt32BE(0)).toBe(0xfeedfeed)
    expect(bytes.includes(certificate.raw)).toBe(true)
    expect(bytes.includes('debian:j')).toBe(true)
    const salted = [
      Buffer.from('\0c\0h\0a\0n\0g\0e\0i\0t', 'latin1'),
      Buffer.from('Mighty Aphrodite'),
      bytes.subarray(0, -20),
    ]
    expect(bytes.subarray(-20)).toEqual(createHash('sha1').update(Buffer.concat(salted)).digest())
    const keytool = spawnSync('keytool', ['-list', '-keystore', join(directory, 'ks'), '-storepass', 'changeit'])
    if (keytool.error) return
    writeFileSync(join(directory, 'ks'), bytes)
    const listed = spawnSync('keytool', ['-list', '-keystore', join(directory, 'ks'), '-storepass', 'changeit'])
    expect(String(listed.stdout)).toMatch(/debian:j/)
  })
})
