import { file, goneFile, member, type Sample, setting } from './sample.ts'

const PRIVATE = 'PRIVATE' + ' KEY'
const PKCS8 = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ'

/** Private keys in the forms that tools write. */
export const secretKeys: readonly Sample[] = [
  file('root/.ssh/id_rsa', v => `«${v.pem(`RSA ${PRIVATE}`, 'MIIEpAIBAAKCAQEA', 1170)}»\n`),
  file('etc/ssl/private/shop.key', v => `«${v.pem(PRIVATE, PKCS8, 1170)}»\n`),
  file(
    'etc/ssl/private/sealed.key',
    v => `«${v.pem(`ENCRYPTED ${PRIVATE}`, 'MIIFLTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQI', 1200)}»\n`,
  ),
  file(
    'srv/api/ec.pem',
    v => `${v.pem('EC PARAMETERS', 'BggqhkjOPQMBBw==', 0)}\n«${v.pem(`EC ${PRIVATE}`, 'MHcCAQEEI', 115)}»\n`,
  ),
  goneFile('etc/ssh/ssh_host_dsa_key', v => `«${v.pem(`DSA ${PRIVATE}`, 'MIIBuwIBAAKBgQ', 430)}»\n`),
  goneFile(
    'home/dev/.ssh/id_ed25519',
    v =>
      `«${v.pem(`OPENSSH ${PRIVATE}`, 'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQ', 190)}»\n`,
  ),
  file(
    'home/dev/old.pem',
    v =>
      `«-----BEGIN RSA ${PRIVATE}-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,${v.upperHex(32)}\n\n${(v.base64(1190).match(/.{1,64}/g) as string[]).join('\n')}\n-----END RSA ${PRIVATE}-----»\n`,
  ),
  file(
    'home/dev/putty2.ppk',
    v =>
      `«PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nComment: imported\nPublic-Lines: 2\nAAAAB3NzaC1yc2EAAAADAQAB${v.base64(30)}\n${v.base64(48)}\nPrivate-Lines: 2\n${v.base64(48)}\n${v.base64(33)}\nPrivate-MAC: ${v.hex(40)}»\n`,
  ),
  file(
    'home/dev/putty3.ppk',
    v =>
      `«PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc\nComment: laptop\nPublic-Lines: 2\nAAAAC3NzaC1lZDI1NTE5AAAAI${v.base64(27)}\n${v.base64(9)}\nKey-Derivation: Argon2id\nArgon2-Memory: 8192\nArgon2-Salt: ${v.hex(32)}\nPrivate-Lines: 1\n${v.base64(48)}\nPrivate-MAC: ${v.hex(64)}»\n`,
  ),
  file(
    'root/.config/sops/age/keys.txt',
    v =>
      `# created: 2024-03-01T10:00:00Z\n# public key: age1${v.lower(58)}\n«AGE-SECRET-KEY-1${v.of('QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58)}»\n`,
  ),
  file(
    'root/signing.asc',
    v =>
      `«-----BEGIN PGP ${PRIVATE} BLOCK-----\n\nlQVYBGX${v.base64(600)}\n=${v.base62(4)}\n-----END PGP ${PRIVATE} BLOCK-----»\n`,
  ),
  file(
    'srv/api/service-account.json',
    v =>
      `{\n  "type": "service_account",\n  "project_id": "shop-prod",\n  "private_key_id": "${v.hex(40)}",\n  "private_key": "«${v.pem(PRIVATE, PKCS8, 1170).replaceAll('\n', '\\n')}\\n»",\n  "client_email": "app@shop-prod.iam.gserviceaccount.com",\n  "client_id": "${v.digits(21)}"\n}\n`,
  ),
  file(
    'srv/deploy/values.yaml',
    v => `tls:\n  enabled: true\n  key: |\n«${v.pem(PRIVATE, PKCS8, 1170).replace(/^/gm, '    ')}»\n  port: 8443\n`,
  ),
  setting(
    'env',
    'key in one line',
    v =>
      `APPLE_SIGNING_KEY=«${v.pem(PRIVATE, 'MIGTAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBHkwdwIBAQQg', 100).replaceAll('\n', '\\n')}»`,
  ),
  file(
    'srv/deploy/tls-secret.yaml',
    v =>
      `apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\ndata:\n  tls.key: «${Buffer.from(v.pem(PRIVATE, PKCS8, 1170)).toString('base64')}»\n`,
  ),
  file(
    'etc/wireguard/wg0.conf',
    v => `[Interface]\nAddress = 10.8.0.2/24\nPrivateKey = «${v.base64(32)}»\n\n[Peer]\nEndpoint = vpn.acme.io:51820\n`,
  ),
  file(
    'srv/api/cosign.key',
    v => `«${v.pem(`ENCRYPTED SIGSTORE ${PRIVATE}`, 'eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6', 400)}»\n`,
  ),
  file(
    'srv/ios/AuthKey_9K2M4N.p8',
    v => `«${v.pem(PRIVATE, 'MIGTAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBHkwdwIBAQQg', 100)}»`,
  ),
  file('srv/win/site.key', v => `«${v.pem(`RSA ${PRIVATE}`, 'MIIEpAIBAAKCAQEA', 1170)}»\n`.replaceAll('\n', '\r\n')),
  file(
    'srv/api/keys.go',
    v => `package keys\n\nvar signing = []byte(\`«${v.pem(`EC ${PRIVATE}`, 'MHcCAQEEI', 115)}»\`)\n`,
  ),
  file(
    'srv/api/key.js',
    v =>
      `module.exports = [\n${`«${v.pem(`RSA ${PRIVATE}`, 'MIICXAIBAAKBgQ', 600)}»`
        .split('\n')
        .map(line => `  '${line}',`)
        .join('\n')}\n].join('\\n');\n`,
  ),
  file(
    'srv/api/jwk.json',
    v =>
      `{"kty":"RSA","kid":"2024-01","n":"${v.url64(342)}","e":"AQAB","d":"«${v.url64(342)}»","p":"${v.url64(171)}"}\n`,
  ),
  file(
    'etc/openvpn/client.ovpn',
    v => `client\nremote vpn.acme.io 1194\n<key>\n«${v.pem(PRIVATE, PKCS8, 1170)}»\n</key>\n`,
  ),
  file(
    'etc/openvpn/ta.key',
    v =>
      `«-----BEGIN OpenVPN Static key V1-----\n${(v.hex(512).match(/.{32}/g) as string[]).join('\n')}\n-----END OpenVPN Static key V1-----»\n`,
  ),
  goneFile(
    'tmp/build/deploy_key',
    v => `«${v.pem(`OPENSSH ${PRIVATE}`, 'b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0', 300)}»\n`,
  ),
  file(
    'home/dev/ssh2.key',
    v =>
      `«---- BEGIN SSH2 ENCRYPTED ${PRIVATE} ----\nComment: "1024-bit rsa"\nP2/56wAAA${v.base64(500)}\n---- END SSH2 ENCRYPTED ${PRIVATE} ----»\n`,
  ),
  member('srv/backup/etc.tar.gz', 'etc/nginx/tls/site.key', v => `«${v.pem(PRIVATE, PKCS8, 1170)}»\n`),
  member('srv/lib/signer.jar', 'keys/release.pem', v => `«${v.pem(`RSA ${PRIVATE}`, 'MIIEpAIBAAKCAQEA', 1170)}»\n`),
]
