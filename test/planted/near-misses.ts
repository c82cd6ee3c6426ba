import { generateKeyPairSync } from 'node:crypto'
import type { Planted } from './planted-secrets.ts'
import type { RandomValues } from './random-values.ts'

/** What looks like a secret and is none. */
export function nearMisses(r: RandomValues): readonly Planted[] {
  return [
    ...placeholders(r),
    ...references(),
    ...digests(r),
    ...publicThings(r),
    ...examples(r),
    ...configuration(r),
  ].map((each, i) => (each.at.includes(':') ? each : { ...each, at: each.at.replace('N/', `near${i}/`) }))
}

const miss = (at: string, text: string): Planted => ({ about: text.slice(0, 60), at, text: `${text}\n` })

function placeholders(r: RandomValues): Planted[] {
  return [
    miss('N/.env', 'DB_PASSWORD=changeme'),
    miss('N/.env', 'DB_PASSWORD='),
    miss('N/.env', 'API_KEY=your-api-key-here'),
    miss('N/.env', 'API_KEY=<your key>'),
    miss('N/.env', 'API_TOKEN=xxxxxxxxxxxxxxxxxxxxxxxx'),
    miss('N/.env', 'JWT_SECRET=***************'),
    miss('N/.env.example', 'STRIPE_KEY=sk_live_xxxxxxxxxxxxxxxxxxxxxxxx'),
    miss('N/.env', 'SECRET=placeholder-value-1'),
    miss('N/.env', 'PASSWORD=todo'),
    miss('N/.env', 'MAIL_PASSWORD=null'),
    miss('N/.aws/credentials', `aws_access_key_id = AKIA${'IOSFODNN7EXAMPLE'}`),
    miss('N/.aws/credentials', `aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/${'bPxRfiCYEXAMPLEKEY'}`),
    miss('N/a.py', `token = "ghp_${'x'.repeat(36)}"`),
    miss('N/a.py', `token = "ghp_${'1234567890'.repeat(4).slice(0, 36)}"`),
    miss('N/a.js', `const key = "AIza${'0'.repeat(35)}"`),
    miss('N/a.yaml', 'slack: xoxb-your-token-goes-here-please'),
    miss('N/.npmrc', '//registry.npmjs.org/:_authToken=${NPM_TOKEN}'),
    miss('N/.netrc', 'machine git.corp.internal login ci password <password>'),
    miss('N/.pypirc', '[pypi]\npassword = <your token>'),
    miss('N/.docker/config.json', '{"auths": {"https://index.docker.io/v1/": {}}, "credsStore": "desktop"}'),
    miss('N/.docker/config.json', `{"auths": {"x": {"auth": "${Buffer.from('user:password').toString('base64')}"}}}`),
    miss('N/a.conf', 'password = "********"'),
    miss('N/a.conf', 'password = {{ vault_password }}'),
    miss('N/a.yml', 'password: !vault |'),
    miss('N/a.xml', '<password>${db.password}</password>'),
    miss('N/a.properties', 'spring.datasource.password=${DB_PASSWORD}'),
    miss('N/a.tf', 'password = var.db_password'),
    miss('N/a.tf', 'password = random_password.db.result'),
    miss('N/a.py', `password = "${'a'.repeat(12)}"`),
    miss('N/a.json', '{"password": "REDACTED-REDACTED-1"}'),
    miss('N/deadbeef.conf', `secret = ${'deadbeef'.repeat(4)}`),
    miss('N/a.sh', `curl -H "Authorization: Bearer $TOKEN" https://api.corp.internal`),
    miss('N/a.sh', 'curl -H "Authorization: Bearer ${ACCESS_TOKEN_1}" https://api.corp.internal'),
    miss(
      'N/b.sh',
      `curl -u "user:pass" -H "Authorization: Basic ${Buffer.from('user:password').toString('base64')}" x`,
    ),
    miss('N/c.txt', `-----BEGIN RSA ${'PRIVATE'} KEY-----\n...\n-----END RSA ${'PRIVATE'} KEY-----`),
    miss('N/c.py', `if "-----BEGIN ${'PRIVATE'} KEY-----" in text: return True`),
    miss('N/c.go', `const header = "-----BEGIN OPENSSH ${'PRIVATE'} KEY-----"`),
    miss(
      'N/c.pem',
      `-----BEGIN ${'PRIVATE'} KEY-----\nMIIEvQIBADANBgkqhkiG9w0B...snip...\n-----END ${'PRIVATE'} KEY-----`,
    ),
    miss('N/d.md', `Use \`export API_KEY=${r.base62(6)}...\` to set the key`),
  ]
}

/** Code and settings that speak of secrets. */
function references(): Planted[] {
  return [
    miss('N/a.py', 'password = os.environ["DB_PASSWORD"]'),
    miss('N/a.py', 'api_key = getenv("API_KEY_2")'),
    miss('N/a.py', 'def login(user: str, password: str = "") -> Token:'),
    miss('N/a.py', 'token = request.headers["X-Token-2"]'),
    miss('N/a.js', 'const password = process.env.DB_PASSWORD || config.get("db.password2")'),
    miss('N/a.js', 'const token = await getToken({ audience: "api2" })'),
    miss('N/a.js', 'if (password !== confirmPassword2) throw new Error("passwords differ")'),
    miss('N/a.ts', 'interface Login { password: string; token?: string | undefined }'),
    miss('N/a.go', 'password := flag.String("password", "", "the password2 to use")'),
    miss('N/a.rb', 'secret = Rails.application.credentials.secret_key_base'),
    miss('N/a.java', 'private String password = null; // set by the container'),
    miss('N/a.c', 'static const char *password_prompt = "Password2: ";'),
    miss('N/a.yaml', 'secretName: web-tls-2024'),
    miss('N/a.yaml', 'passwordSecretRef: db-credentials'),
    miss('N/a.yaml', 'existingSecret: postgres-auth'),
    miss('N/a.yaml', 'password_file: /run/secrets/db_password2'),
    miss('N/a.yaml', 'token_url: https://auth.corp.internal/oauth2/token'),
    miss('N/a.json', '{"token_type": "bearer", "expires_in": 3600}'),
    miss('N/a.json', '{"max_tokens": 4096, "eos_token": "<|endoftext|>", "pad_token": "[PAD]"}'),
    miss('N/a.json', '{"csrf_token": "X-CSRF-Token-2"}'),
    miss('N/a.toml', 'token-limit = 8192'),
    miss('N/a.ini', 'password_policy = min8-upper1-digit1'),
    miss('N/a.conf', 'passwd: files systemd sss2'),
    miss('etc/nsswitch.conf', 'passwd:         files systemd\nshadow:         files'),
    miss('etc/pam.d/common-password', 'password [success=1 default=ignore] pam_unix.so obscure yescrypt'),
    miss('N/etc/shadow', 'root:*:19000:0:99999:7:::\nbin:!:19000::::::\njo:!!:19000::::::'),
    miss('N/a.conf', 'url = postgres://db.corp.internal:5432/app'),
    miss('N/a.conf', 'url = postgres://$USER:$PASSWORD@db.corp.internal/app'),
    miss('N/a.conf', 'url = postgres://user:password@localhost/app'),
    miss('N/a.conf', 'url = https://user:s3cr3tvalue9@example.com/'),
    miss('N/a.conf', 'url = redis://localhost:6379/0?client=a@b'),
    miss('N/a.conf', 'ssh = ssh://git@git.corp.internal:7999/a/b.git'),
    miss('N/a.html', '<a href="mailto:jo@corp.internal?subject=a:b">https://corp.internal/@jo</a>'),
    miss('N/a.sh', 'read -r -s -p "Password: " password; mysql --password="$password" -h db2'),
    miss('N/a.sh', 'mysql --password=$(cat /run/secrets/db2)'),
    miss('N/a.sql', `-- password column\nCREATE TABLE users (password varchar(255) NOT NULL DEFAULT 'none');`),
    miss('N/a.tf', `secret_id = "projects/p/secrets/db/versions/2"`),
    miss('N/a.yml', 'password: vault:secret/data/db#password2'),
    miss('N/a.lua', `local token = ngx.var.http_x_token2`),
  ]
}

function digests(r: RandomValues): Planted[] {
  return [
    miss(
      'N/package-lock.json',
      `{"integrity": "sha512-${r.base64(64)}", "resolved": "https://registry.npmjs.org/a/-/a-1.0.0.tgz"}`,
    ),
    miss('N/yarn.lock', `  integrity sha512-${r.base64(64)}`),
    miss('N/go.sum', `golang.org/x/token v0.1.0 h1:${r.base64(32)}`),
    miss('N/Cargo.lock', `name = "secret"\nchecksum = "${r.hex(64)}"`),
    miss('N/poetry.lock', `{file = "token-1.whl", hash = "sha256:${r.hex(64)}"}`),
    miss('N/pnpm-lock.yaml', `  token@1.0.0:\n    resolution: {integrity: sha512-${r.base64(64)}}`),
    miss('N/SHA256SUMS', `${r.hex(64)}  secret.tar.gz`),
    miss('N/commit.txt', `commit ${r.hex(40)}`),
    miss('N/uuid.json', `{"id": "${r.hex(8)}-${r.hex(4)}-4${r.hex(3)}-a${r.hex(3)}-${r.hex(12)}"}`),
    miss('N/index.html', `<script integrity="sha384-${r.base64(48)}" src="a.js"></script>`),
    miss('N/image.css', `a{background:url(data:image/png;base64,${r.base64(300)})}`),
    miss('N/blob.txt', r.base64(900)),
    miss('N/etag.conf', `etag = "${r.hex(32)}"`),
    miss('N/a.json', `{"cacheKey": "v2-${r.hex(32)}"}`),
    miss('N/bundle.min.js', `var a="${r.hex(20)}",b=t.token;c({tokenize:1,k:"${r.base62(20)}"})`),
    miss('N/Dockerfile', `FROM debian:12@sha256:${r.hex(64)}`),
    miss('N/a.yaml', `digest: sha256:${r.hex(64)}`),
  ]
}

function publicThings(r: RandomValues): Planted[] {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const certificate = `-----BEGIN CERTIFICATE-----\n${r.base64(600).replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----`
  return [
    miss('N/ca.pem', certificate),
    miss('etc/ssl/certs/ca-certificates.crt', certificate),
    miss('N/pub.pem', publicKey.export({ type: 'spki', format: 'pem' }).toString()),
    miss('N/authorized_keys', `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5${r.base62(48)} jo@host`),
    miss('N/known_hosts', `github.com ssh-rsa AAAAB3NzaC1yc2E${r.base62(300)}`),
    miss('N/key.asc', `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${r.base64(400)}\n-----END PGP PUBLIC KEY BLOCK-----`),
    miss('N/a.json', `{"public_key": "${r.base62(44)}"}`),
    miss('N/wg.conf', `[Peer]\nPublicKey = ${r.base64(32)}`),
    miss('N/kube.yaml', `certificate-authority-data: ${Buffer.from(certificate).toString('base64')}`),
    miss(
      'N/jwt.txt',
      `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.${Buffer.from('{"sub":"1234567890","name":"John Doe","iat":1516239022}').toString('base64url')}.${r.base64url(43)}`,
    ),
    miss('N/not-jwt.txt', `eyJ${r.base62(20)}.eyJ${r.base62(30)}.${r.base64url(43)}`),
    miss('N/stripe.js', `const key = "pk_live_${r.base62(24)}"`),
    miss('N/recaptcha.html', `<div data-sitekey="6L${r.base62(38)}"></div>`),
  ]
}

/** Examples of packages and documentation. */
function examples(r: RandomValues): Planted[] {
  const key = generateKeyPairSync('rsa', { modulusLength: 1024 })
    .privateKey.export({ type: 'pkcs1', format: 'pem' })
    .toString()
  return [
    miss('usr/share/doc/openssl/server.pem', key),
    miss('usr/share/doc/git/netrc', 'machine a.b login c password Hunter22x'),
    miss('usr/lib/python3.11/test/certdata/keycert.pem', key),
    miss('usr/lib/python3/dist-packages/twisted/test/server.pem', key),
    miss('app/node_modules/https/test/fixtures/key.pem', key),
    miss('app/node_modules/jwt/README.md', `secret: '${r.base62(24)}'`),
    miss('app/node_modules/a/index.js', `const password = "${r.base62(14)}2"`),
    miss('usr/lib/python3/dist-packages/a/b.py', `token = "${r.base62(24)}"`),
    miss('go/pkg/mod/golang.org/x/crypto/ssh/testdata/keys.go', key),
    miss('usr/share/man/man1/a.1', `password=${r.base62(12)}3`),
    miss('N/README.md', `DB_PASSWORD=${r.base62(12)}4`),
    miss('N/page.html', `<code>token: ${r.base62(24)}</code>`),
  ]
}

function configuration(r: RandomValues): Planted[] {
  return [
    { about: 'PATH', at: 'env:PATH', text: '/usr/local/sbin:/usr/local/bin:/usr/bin' },
    { about: 'GPG key of python', at: 'env:GPG_KEY', text: r.hex(40).toUpperCase() },
    { about: 'checksum', at: 'env:PYTHON_SHA256', text: r.hex(64) },
    { about: 'file of a secret', at: 'env:DB_PASSWORD_FILE', text: '/run/secrets/db' },
    { about: 'placeholder', at: 'env:ADMIN_PASSWORD', text: 'changeme' },
    { about: 'revision', at: 'label:org.opencontainers.image.revision', text: r.hex(40) },
    { about: 'empty argument', at: 'arg:GITHUB_TOKEN', text: '' },
  ]
}
