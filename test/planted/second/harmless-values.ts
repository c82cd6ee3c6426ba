import { file, goneFile, member, type Sample } from './sample.ts'

const PRIVATE = 'PRIVATE' + ' KEY'

/** What is random and no secret: public keys, certificates, hashes, identifiers, pictures, public-by-design keys. */
export const harmlessValues: readonly Sample[] = [
  file('root/.ssh/id_rsa.pub', v => `ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ${v.base64(370)} dev@laptop\n`),
  file(
    'root/.ssh/authorized_keys',
    v =>
      `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${v.base62(43)} ops\nrestrict ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAI${v.base64(90)} ci\n`,
  ),
  file(
    'root/.ssh/known_hosts',
    v => `|1|${v.base64(20)}|${v.base64(20)} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${v.base62(43)}\n`,
  ),
  file(
    'etc/ssl/certs/acme.pem',
    v =>
      `${v.pem('CERTIFICATE', 'MIIDdzCCAl+gAwIBAgIE', 860)}\n${v.pem('CERTIFICATE', 'MIIFazCCA1OgAwIBAgIR', 1300)}\n`,
  ),
  file('etc/ssl/request.csr', v => `${v.pem('CERTIFICATE REQUEST', 'MIICijCCAXICAQAw', 600)}\n`),
  file('etc/ssl/dh.pem', v => `${v.pem('DH PARAMETERS', 'MIIBCAKCAQEA', 260)}\n`),
  file('etc/ssl/api.pub.pem', v => `${v.pem('PUBLIC KEY', 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA', 260)}\n`),
  file(
    'usr/share/keyrings/acme.asc',
    v =>
      `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBGX${v.base64(900)}\n=${v.base62(4)}\n-----END PGP PUBLIC KEY BLOCK-----\n`,
  ),
  file(
    'srv/rel/app.sig',
    v => `-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQ${v.base64(200)}\n-----END SSH SIGNATURE-----\n`,
  ),
  file('etc/sops/recipients', v => `age1${v.lower(58)}\n`),
  file('etc/wireguard/peer.conf', v => `[Peer]\nPublicKey = ${v.base64(32)}\nAllowedIPs = 10.8.0.0/24\n`),
  file('srv/rel/minisign.pub', v => `untrusted comment: minisign public key ${v.upperHex(16)}\nRWQ${v.base64(39)}\n`),
  file(
    'srv/api/jwks.json',
    v => `{"keys":[{"kty":"RSA","kid":"${v.hex(40)}","use":"sig","n":"${v.url64(342)}","e":"AQAB"}]}\n`,
  ),
  file(
    'srv/web/package-lock.json',
    v =>
      `{"packages":{"node_modules/x":{"version":"1.0.0","resolved":"https://registry.example/x.tgz","integrity":"sha512-${v.base64(64)}"}}}\n`,
  ),
  file(
    'srv/web/yarn.lock',
    v =>
      `x@^1.0.0:\n  version "1.0.1"\n  resolved "https://registry.example/x-1.0.1.tgz#${v.hex(40)}"\n  integrity sha512-${v.base64(64)}\n`,
  ),
  file(
    'srv/web/pnpm-lock.yaml',
    v => `packages:\n  /token-types@5.0.1:\n    resolution: {integrity: sha512-${v.base64(64)}}\n`,
  ),
  file(
    'srv/py/poetry.lock',
    v =>
      `[[package]]\nname = "keyring"\nfiles = [\n    {file = "keyring-24.tar.gz", hash = "sha256:${v.hex(64)}"},\n]\n`,
  ),
  file('srv/py/requirements.txt', v => `secretstorage==3.3.3 \\\n    --hash=sha256:${v.hex(64)}\n`),
  file(
    'srv/go/go.sum',
    v =>
      `github.com/golang-jwt/jwt/v5 v5.2.0 h1:${v.base64(32)}\ngithub.com/golang-jwt/jwt/v5 v5.2.0/go.mod h1:${v.base64(32)}\n`,
  ),
  file('srv/rust/Cargo.lock', v => `[[package]]\nname = "secrecy"\nversion = "0.8.0"\nchecksum = "${v.hex(64)}"\n`),
  file(
    'srv/php/composer.lock',
    v =>
      `{"packages":[{"name":"symfony/password-hasher","source":{"reference":"${v.hex(40)}"},"dist":{"shasum":"${v.hex(40)}"}}],"content-hash":"${v.hex(32)}"}\n`,
  ),
  file(
    'srv/tf/.terraform.lock.hcl',
    v =>
      `provider "registry.terraform.io/hashicorp/vault" {\n  hashes = ["h1:${v.base64(32)}", "zh:${v.hex(64)}"]\n}\n`,
  ),
  file(
    'srv/nix/flake.lock',
    v => `{"nodes":{"nixpkgs":{"locked":{"narHash":"sha256-${v.base64(32)}","rev":"${v.hex(40)}"}}}}\n`,
  ),
  file('srv/rel/SHA256SUMS', v => `${v.hex(64)}  password-store-1.7.tar.xz\n${v.hex(64)}  app.tar.gz\n`),
  file('var/lib/dpkg/info/passwd.md5sums', v => `${v.hex(32)}  usr/bin/passwd\n${v.hex(32)}  usr/sbin/chpasswd\n`),
  file(
    'lib/apk/db/installed',
    v => `C:Q1${v.base64(20)}\nP:secret-tool\nV:0.21-r0\nF:usr/bin\nR:secret-tool\nZ:Q1${v.base64(20)}\n`,
  ),
  file(
    'srv/src/.git/packed-refs',
    v => `# pack-refs with: peeled fully-peeled sorted\n${v.hex(40)} refs/heads/add-token-auth\n^${v.hex(40)}\n`,
  ),
  file(
    'srv/src/.git/logs/HEAD',
    v => `${v.hex(40)} ${v.hex(40)} Dev <dev@acme.io> 1714550000 +0000\tcommit: rotate api key\n`,
  ),
  file('srv/k8s/deploy.yaml', v => `containers:\n- name: vault\n  image: registry.acme.io/vault@sha256:${v.hex(64)}\n`),
  file(
    'srv/web/index.html',
    v => `<script src="/auth.js" integrity="sha384-${v.base64(48)}" crossorigin="anonymous"></script>\n`,
  ),
  file(
    'usr/lib/python3/dist-packages/x-1.0.dist-info/RECORD',
    v => `x/secrets.py,sha256=${v.url64(43)},1204\nx/token.py,sha256=${v.url64(43)},88\n`,
  ),
  file('etc/machine-id', v => `${v.hex(32)}\n`),
  file('etc/fstab', v => `UUID=${v.uuid()} / ext4 defaults 0 1\nPARTUUID=${v.uuid()} /boot vfat ro 0 2\n`),
  file(
    'srv/net/App.csproj',
    v =>
      `<PropertyGroup><ProjectGuid>{${v.uuid().toUpperCase()}}</ProjectGuid><UserSecretsId>${v.uuid()}</UserSecretsId></PropertyGroup>\n`,
  ),
  file(
    'srv/k8s/pod.json',
    v =>
      `{"metadata":{"uid":"${v.uuid()}","resourceVersion":"${v.digits(9)}","labels":{"pod-template-hash":"${v.hex(10)}"}}}\n`,
  ),
  file(
    'srv/web/style.css',
    v =>
      `.login{background:url(data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA${v.base64(600)})}\n@font-face{src:url(data:font/woff2;base64,d09GMgABAAAAA${v.base64(900)})}\n`,
  ),
  file('srv/web/logo.html', v => `<img alt="key" src="data:image/svg+xml;base64,PHN2Zy${v.base64(300)}">\n`),
  file(
    'srv/web/app.min.js',
    v =>
      `!function(e){var t={key:"Enter",password:function(n){return n.password||n.token},secret:e.secret};e.exports="${v.hex(20)}"}(module);\n//# sourceMappingURL=data:application/json;base64,${v.base64(400)}\n`,
  ),
  file(
    'srv/web/chunk.js',
    v =>
      `__webpack_require__.u=e=>({179:"auth",201:"token"}[e]+"."+{179:"${v.hex(20)}",201:"${v.hex(20)}"}[e]+".js");\n`,
  ),
  file(
    'srv/web/icons.svg',
    v =>
      `<svg><symbol id="key-${v.base62(22)}"><path d="M12 2a5 5 0 0 1 5 5v3h1"/></symbol><use href="#SVGID_${v.digits(12)}_"/></svg>\n`,
  ),
  file('srv/web/embed.js', v => `const wasm = "AGFzbQEAAAABjQEVYAJ/fwF/${v.base64(700)}";\n`),
  file('srv/pay/public.js', v => `const stripe = Stripe("pk_live_${v.base62(24)}");\n`),
  file('srv/map/public.js', v => `mapboxgl.accessToken = 'pk.eyJ1Ijoi${v.base62(60)}.${v.url64(22)}';\n`),
  file('srv/web/captcha.html', v => `<div class="g-recaptcha" data-sitekey="6L${v.url64(38)}"></div>\n`),
  file(
    'srv/web/sentry.js',
    v => `Sentry.init({ dsn: "https://${v.hex(32)}@o${v.digits(6)}.ingest.sentry.io/${v.digits(7)}" });\n`,
  ),
  file(
    'srv/web/analytics.html',
    v => `<script>gtag('config', 'G-${v.upper(10)}');ga('create','UA-${v.digits(8)}-1')</script>\n`,
  ),
  file(
    'srv/id/client.json',
    v =>
      `{"client_id":"${v.digits(12)}-${v.lower(32)}.apps.googleusercontent.com","tenantId":"${v.uuid()}","appId":"${v.uuid()}"}\n`,
  ),
  file('etc/nginx/.htpasswd', v => `admin:$apr1$${v.base62(8)}$${v.base62(22)}\nops:$2y$10$${v.base62(53)}\n`),
  file(
    'etc/shadow',
    v => `root:*:19700:0:99999:7:::\napp:!:19700::::::\ndev:$6$${v.base62(16)}$${v.base62(86)}:19700:0:99999:7:::\n`,
  ),
  file(
    'srv/django/fixture.sql',
    v =>
      `INSERT INTO auth_user (username, password) VALUES ('a', 'pbkdf2_sha256$600000$${v.base62(22)}$${v.base64(32)}');\n`,
  ),
  file(
    'srv/db/pg-roles.sql',
    v => `ALTER ROLE web WITH PASSWORD 'SCRAM-SHA-256$4096:${v.base64(16)}$${v.base64(32)}:${v.base64(32)}';\n`,
  ),
  file(
    'srv/db/mysql-users.sql',
    v => `CREATE USER 'web'@'%' IDENTIFIED WITH 'mysql_native_password' AS '*${v.upperHex(40)}';\n`,
  ),
  file('etc/ldap/admin.ldif', v => `dn: cn=admin,dc=acme\nuserPassword: {SSHA}${v.base64(24)}\n`),
  file('srv/users.yaml', v => `users:\n  - name: admin\n    password: "$2b$12$${v.base62(53)}"\n`),
  file('srv/argon.json', v => `{"passwordHash": "$argon2id$v=19$m=65536,t=3,p=4$${v.base62(22)}$${v.base62(43)}"}\n`),
  file('srv/ansible/vault.yml', v => `$ANSIBLE_VAULT;1.1;AES256\n${v.hex(80)}\n${v.hex(80)}\n`),
  file('srv/ansible/inline.yml', v => `db_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  ${v.hex(80)}\n`),
  file(
    'srv/sops.yaml',
    v => `db_password: ENC[AES256_GCM,data:${v.base64(20)},iv:${v.base64(32)},tag:${v.base64(16)},type:str]\n`,
  ),
  file('srv/k8s/sealed.yaml', v => `kind: SealedSecret\nspec:\n  encryptedData:\n    password: AgB${v.base64(380)}\n`),
  file(
    'srv/ssh-keys.txt',
    v =>
      `256 SHA256:${v.base62(43)} root@host (ED25519)\n2048 MD5:${(v.hex(32).match(/../g) as string[]).join(':')} old (RSA)\n`,
  ),
  file(
    'srv/assets/model.bin',
    v => `version https://git-lfs.github.com/spec/v1\noid sha256:${v.hex(64)}\nsize 438000000\n`,
  ),
  file(
    'srv/api/sbom.json',
    v =>
      `{"SPDXID":"SPDXRef-Package-secretstorage","checksums":[{"algorithm":"SHA1","checksumValue":"${v.hex(40)}"}],"documentNamespace":"https://acme.io/${v.uuid()}"}\n`,
  ),
  file(
    'srv/ci/cache.json',
    v => `{"cacheKey":"node-modules-${v.hex(64)}","etag":"W/\\"${v.base62(27)}\\"","lastCommit":"${v.hex(40)}"}\n`,
  ),
  file(
    'srv/es/mapping.json',
    v => `{"_index":"tokens","_id":"${v.url64(20)}","_seq_no":12,"cluster_uuid":"${v.url64(22)}"}\n`,
  ),
  file('srv/mongo/dump.json', v => `{"_id":{"$oid":"${v.hex(24)}"},"keyHolder":{"$oid":"${v.hex(24)}"}}\n`),
  file(
    'srv/aws/ids.tf',
    v =>
      `resource "aws_instance" "x" {\n  ami       = "ami-${v.hex(17)}"\n  key_name  = "deploy-key"\n  subnet_id = "subnet-${v.hex(17)}"\n}\n`,
  ),
  file('srv/aws/kms.yaml', v => `kmsKeyId: arn:aws:kms:eu-central-1:${v.digits(12)}:key/${v.uuid()}\n`),
  file(
    'usr/lib/python3/dist-packages/tls/tests/fixtures/server.key',
    v => `${v.pem(PRIVATE, 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ', 1170)}\n`,
  ),
  file(
    'usr/lib/node_modules/https/test/fixtures/agent1-key.pem',
    v => `${v.pem(`RSA ${PRIVATE}`, 'MIICXAIBAAKBgQ', 600)}\n`,
  ),
  goneFile('tmp/trace.log', v => `traceparent: 00-${v.hex(32)}-${v.hex(16)}-01\nx-request-id: ${v.uuid()}\n`),
  file('var/lib/random', v => v.bytes(2048).toString('latin1')),
  member(
    'srv/lib/hash.jar',
    'META-INF/MANIFEST.MF',
    v => `Name: io/acme/PasswordEncoder.class\nSHA-256-Digest: ${v.base64(32)}\n`,
  ),
  member(
    'root/.cache/pip/wheels/1a/pub-1.0-py3-none-any.whl',
    'pub-1.0.dist-info/RECORD',
    v => `pub/token.py,sha256=${v.url64(43)},91\n`,
  ),
  member('srv/backup/certs.tar.gz', 'etc/ssl/cert.pem', v => `${v.pem('CERTIFICATE', 'MIIDdzCCAl+gAwIBAgIE', 860)}\n`),
  member('var/log/app/debug.log.3.gz', '', v => `session ${v.uuid()} key=${v.uuid()} etag "${v.hex(32)}"\n`),
]
