import { generateKeyPairSync } from 'node:crypto'
import { base32, digits, type RandomValues, upper } from './random-values.ts'

/** Something in a file of the image, or in its configuration. */
export interface Planted {
  /** What it is, for the report. */
  readonly about: string
  /** A path; `env:NAME`, `label:NAME`, `arg:NAME`, `cmd:`; `PATH!MEMBER` for a member of an archive. */
  readonly at: string
  readonly text: string
  /** Line of the secret, from 1; default 1. */
  readonly line?: number
  /** Put around the text: zero bytes, as in a program. */
  readonly binary?: boolean
}

const b64 = (text: string): string => Buffer.from(text).toString('base64')

/** Fake secrets in every place. Values are made of parts here, so that this file holds none. */
export function plantedSecrets(r: RandomValues): readonly Planted[] {
  return [...tokens(r), ...inBinaries(r), ...keys(r), ...files(r), ...settings(r), ...addresses(r), ...configuration(r)]
}

/** Prefix and rest, in two pieces. */
function tokens(r: RandomValues): Planted[] {
  const all: readonly (readonly [about: string, value: string])[] = [
    ['AWS key id', `AKI${'A'}${r.of(base32, 16)}`],
    ['AWS temporary key id', `ASI${'A'}${r.of(base32, 16)}`],
    ['Google API key', `AIz${'a'}Sy${r.base64url(33)}`],
    ['Google OAuth secret', `GOC${'SPX'}-${r.base64url(28)}`],
    ['GitHub classic', `gh${'p_'}${r.base62(36)}`],
    ['GitHub OAuth', `gh${'o_'}${r.base62(36)}`],
    ['GitHub server', `gh${'s_'}${r.base62(36)}`],
    ['GitHub fine-grained', `github${'_pat_'}${r.base62(22)}_${r.base62(59)}`],
    ['GitLab', `glp${'at-'}${r.base64url(20)}`],
    ['GitLab runner', `glr${'t-'}${r.base64url(20)}`],
    ['npm', `np${'m_'}${r.base62(36)}`],
    ['PyPI', `pypi${'-AgEIcHlwaS5vcmc'}${r.base64url(150)}`],
    ['RubyGems', `rubygems${'_'}${r.hex(48)}`],
    ['Docker Hub', `dckr${'_pat_'}${r.base64url(27)}`],
    ['Slack bot', `xox${'b-'}${r.of(digits, 12)}-${r.of(digits, 13)}-${r.base62(24)}`],
    ['Slack user', `xox${'p-'}${r.of(digits, 12)}-${r.of(digits, 12)}-${r.of(digits, 13)}-${r.hex(32)}`],
    ['Slack webhook', `https://hooks.slack${'.com/services/'}T${r.of(upper, 9)}/B${r.of(upper, 9)}/${r.base62(24)}`],
    ['Stripe live', `sk${'_live_'}${r.base62(24)}`],
    ['Stripe restricted', `rk${'_live_'}${r.base62(24)}`],
    ['SendGrid', `S${'G.'}${r.base64url(22)}.${r.base64url(43)}`],
    ['Mailgun', `ke${'y-'}${r.hex(32)}`],
    ['Mailchimp', `${r.hex(32)}-u${'s12'}`],
    ['DigitalOcean', `dop${'_v1_'}${r.hex(64)}`],
    ['OpenAI', `sk${'-proj-'}${r.base64url(74)}T3${'BlbkFJ'}${r.base64url(74)}`],
    ['Anthropic', `sk${'-ant-'}api03-${r.base64url(93)}AA`],
    ['Hugging Face', `h${'f_'}${r.of('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 34)}`],
    ['Databricks', `dap${'i'}${r.hex(32)}`],
    ['Shopify', `shp${'at_'}${r.hex(32)}`],
    ['Telegram', `${r.of('123456789', 10)}:A${'A'}H${r.base64url(32)}`],
    ['Vault', `hv${'s.'}${r.base64url(90)}`],
    ['Terraform Cloud', `${r.base62(14)}.atlas${'v1.'}${r.base64url(67)}`],
    ['Grafana', `gls${'a_'}${r.base62(32)}_${r.hex(8)}`],
    ['New Relic', `NRA${'K-'}${r.of(`${upper}${digits}`, 27)}`],
    ['Linear', `lin${'_api_'}${r.base62(40)}`],
    ['Pulumi', `pu${'l-'}${r.hex(40)}`],
    ['Postman', `PMA${'K-'}${r.hex(24)}-${r.hex(34)}`],
    ['age', `AGE-SECRET${'-KEY-1'}${r.of('QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58)}`],
    ['Doppler', `dp.${'pt.'}${r.base62(43)}`],
  ]
  const shapes: readonly ((value: string) => readonly [path: string, text: string, line: number])[] = [
    value => ['src/settings.py', `import os\n\nKEY = "${value}"\n`, 3],
    value => ['web/client.js', `export const client = connect({\n  region: "eu",\n  auth: '${value}',\n})\n`, 3],
    value => ['deploy/run.sh', `#!/bin/sh\nset -e\ncurl -H "X-Key: ${value}" https://api.corp.internal/\n`, 3],
    value => ['conf/app.yaml', `service:\n  name: web\n  access: ${value}\n`, 3],
    value => ['conf/app.json', `{\n  "value": "${value}"\n}\n`, 2],
    value => ['notes.txt', `do not lose this:\n${value}\n`, 2],
  ]
  return all.map(([about, value], i) => {
    const [path, text, line] = (shapes[i % shapes.length] as (typeof shapes)[number])(value)
    return { about, at: `app/${i}/${path}`, text, line }
  })
}

function inBinaries(r: RandomValues): Planted[] {
  return [
    { about: 'GitHub token in a program', at: 'usr/local/bin/tool', text: `gh${'p_'}${r.base62(36)}`, binary: true },
    { about: 'AWS key id in a program', at: 'usr/local/bin/other', text: `AKI${'A'}${r.of(base32, 16)}`, binary: true },
    { about: 'Stripe key in a database', at: 'data/app.sqlite', text: `sk${'_live_'}${r.base62(24)}`, binary: true },
    { about: 'private key in a program', at: 'usr/local/bin/third', text: pem('ec'), binary: true },
    { about: 'token in a tar.gz', at: 'backup/site.tar.gz!site/.env', text: `GITLAB=glp${'at-'}${r.base64url(20)}\n` },
    { about: 'key in a tar.gz', at: 'backup/home.tar.gz!home/.ssh/id_rsa', text: pem('rsa') },
    {
      about: 'password in a tar.gz',
      at: 'backup/conf.tar.gz!conf/database.yml',
      text: `db:\n  password: ${r.base62(16)}7x\n`,
      line: 2,
    },
    {
      about: 'token in the npm cache',
      at: 'root/.npm/_cacache/content-v2/sha512/a1/b2!package/.npmrc',
      text: `//npm.corp.internal/:_authToken=${r.base62(40)}\n`,
    },
    { about: 'token in a zip', at: 'opt/app.zip!app/config.json', text: `{"npm": "np${'m_'}${r.base62(36)}"}` },
    {
      about: 'password in a jar',
      at: 'opt/service.jar!BOOT-INF/classes/application.properties',
      text: `server.port=80\nspring.datasource.password=${r.base62(14)}9Z\n`,
      line: 2,
    },
    {
      about: 'token in a wheel',
      at: 'root/.cache/pip/own.whl!own/keys.py',
      text: `TOKEN = "gh${'p_'}${r.base62(36)}"\n`,
    },
    { about: 'compressed log', at: 'var/log/old.log.gz!', text: `GET /?key=AIz${'a'}Sy${r.base64url(33)} 200\n` },
  ]
}

type KeyKind = 'rsa' | 'rsa-pkcs8' | 'ec' | 'ed25519' | 'encrypted' | 'encrypted-old'

function pem(kind: KeyKind): string {
  return keyText(kind).toString()
}

function keyText(kind: KeyKind): string | Buffer {
  const secret = { cipher: 'aes-256-cbc', passphrase: 'x' }
  switch (kind) {
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs1', format: 'pem' })
    case 'rsa-pkcs8':
      return generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
    case 'ec':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' })
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
    case 'encrypted':
      return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem', ...secret })
    case 'encrypted-old':
      return generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
        type: 'pkcs1',
        format: 'pem',
        ...secret,
      })
  }
}

const frame = (kind: string, body: string): string =>
  `-----BEGIN ${kind}-----\n${body.replace(/(.{64})/g, '$1\n').trimEnd()}\n-----END ${kind}-----\n`

function openssh(r: RandomValues, cipher: string): string {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, 0, 0, value.length]), Buffer.from(value)])
  const bytes = Buffer.concat([Buffer.from('openssh-key-v1\0'), text(cipher), text('none'), r.bytes(250)])
  return frame(`OPENSSH ${'PRIVATE'} KEY`, bytes.toString('base64'))
}

function keys(r: RandomValues): Planted[] {
  const google = {
    type: 'service_account',
    project_id: 'prod',
    private_key: pem('rsa-pkcs8'),
    client_email: 'ci@prod.iam.gserviceaccount.com',
  }
  return [
    { about: 'PKCS 1', at: 'etc/ssl/private/server.key', text: pem('rsa') },
    { about: 'PKCS 8', at: 'srv/tls.pem', text: pem('rsa-pkcs8') },
    { about: 'SEC 1', at: 'srv/ec.pem', text: pem('ec') },
    { about: 'Ed25519', at: 'srv/ed.pem', text: pem('ed25519') },
    { about: 'OpenSSH', at: 'root/.ssh/id_ed25519', text: openssh(r, 'none') },
    { about: 'OpenSSH encrypted', at: 'root/.ssh/id_locked', text: openssh(r, 'aes256-ctr') },
    { about: 'PKCS 8 encrypted', at: 'srv/locked.pem', text: pem('encrypted') },
    { about: 'PKCS 1 encrypted', at: 'srv/locked-old.pem', text: pem('encrypted-old') },
    {
      about: 'PuTTY',
      at: 'home/jo/key.ppk',
      text: `PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: jo\nPublic-Lines: 2\n${r.base64(45)}\n${r.base64(6)}\nPrivate-Lines: 1\n${r.base64(36)}\nPrivate-MAC: ${r.hex(64)}\n`,
      line: 8,
    },
    { about: 'PGP', at: 'root/secret.asc', text: frame(`PGP ${'PRIVATE'} KEY BLOCK`, r.base64(600)) },
    { about: 'Google service account', at: 'srv/gcp.json', text: JSON.stringify(google, undefined, 2), line: 4 },
    { about: 'key in a variable of a script', at: 'srv/key.py', text: `KEY = """${pem('ec')}"""\n` },
    {
      about: 'key in one line of YAML',
      at: 'srv/helm.yaml',
      text: `tls:\n  key: "${pem('rsa').trimEnd().replaceAll('\n', '\\n')}"\n`,
      line: 2,
    },
    {
      about: 'kube config',
      at: 'root/.kube/config',
      text: `apiVersion: v1\nusers:\n- name: admin\n  user:\n    client-key-data: ${b64(pem('rsa'))}\n`,
      line: 5,
    },
    {
      about: 'WireGuard',
      at: 'etc/wireguard/wg0.conf',
      text: `[Interface]\nAddress = 10.0.0.1/24\nPrivateKey = ${r.base64(32)}\n`,
      line: 3,
    },
  ]
}

function files(r: RandomValues): Planted[] {
  const login = (user: string): string => b64(`${user}:${r.base62(20)}`)
  return [
    {
      about: 'docker config',
      at: 'root/.docker/config.json',
      text: `{\n "auths": {\n  "registry.corp.internal": {"auth": "${login('ci')}"}\n }\n}`,
      line: 3,
    },
    {
      about: 'podman auth',
      at: 'run/containers/0/auth.json',
      text: `{"auths": {"quay.corp.internal": {"auth": "${login('bot')}"}}}`,
    },
    {
      about: 'identity token',
      at: 'home/jo/.docker/config.json',
      text: `{"auths": {"x.azurecr.internal": {"identitytoken": "${r.base62(180)}"}}}`,
    },
    {
      about: 'npmrc token',
      at: 'root/.npmrc',
      text: `registry=https://npm.corp.internal/\n//npm.corp.internal/:_authToken=${r.hex(8)}-${r.hex(4)}-4${r.hex(3)}-a${r.hex(3)}-${r.hex(12)}\n`,
      line: 2,
    },
    { about: 'npmrc auth', at: 'app/.npmrc', text: `_auth=${login('jo')}\nalways-auth=true\n` },
    {
      about: 'yarnrc',
      at: 'app/.yarnrc.yml',
      text: `npmRegistryServer: "https://npm.corp.internal"\nnpmAuthToken: "${r.base62(36)}"\n`,
      line: 2,
    },
    {
      about: 'netrc in one line',
      at: 'root/.netrc',
      text: `machine git.corp.internal login ci password ${r.base62(18)}\n`,
    },
    {
      about: 'netrc in lines',
      at: 'home/jo/.netrc',
      text: `machine api.corp.internal\n  login jo\n  password ${r.base62(12)}\n`,
      line: 3,
    },
    { about: 'pypirc', at: 'root/.pypirc', text: `[pypi]\nusername = jo\npassword = ${r.base62(16)}\n`, line: 3 },
    { about: 'git credentials', at: 'root/.git-credentials', text: `https://jo:${r.base62(20)}@git.corp.internal\n` },
    {
      about: 'git remote',
      at: 'app/.git/config',
      text: `[remote "origin"]\n\turl = https://ci:${r.base62(20)}@git.corp.internal/a/b.git\n`,
      line: 2,
    },
    {
      about: 'git remote with a token',
      at: 'srv/.git/config',
      text: `[remote "origin"]\n\turl = https://gh${'s_'}${r.base62(36)}@github.com/a/b.git\n`,
      line: 2,
    },
    {
      about: 'git header',
      at: 'opt/.git/config',
      text: `[http "https://github.com/"]\n\textraheader = AUTHORIZATION: basic ${login('x-access-token')}\n`,
      line: 2,
    },
    {
      about: 'shadow',
      at: 'etc/shadow',
      text: `daemon:*:19000:0:99999:7:::\nroot:$6$${r.base62(16)}$${r.base62(86)}:19000:0:99999:7:::\n`,
      line: 2,
    },
    {
      about: 'shadow, yescrypt',
      at: 'etc/shadow-',
      text: `root:$y$j9T$${r.base62(22)}$${r.base62(43)}:19000:0:99999:7:::\n`,
    },
    { about: 'htpasswd', at: 'etc/nginx/htpasswd', text: `jo:$2y$05$${r.base62(53)}\n` },
    { about: 'pgpass', at: 'root/.pgpass', text: `db.corp.internal:5432:app:jo:${r.base62(16)}\n` },
    { about: 'my.cnf', at: 'root/.my.cnf', text: `[client]\nuser=root\npassword=${r.base62(16)}\n`, line: 3 },
    {
      about: 'AWS credentials',
      at: 'root/.aws/credentials',
      text: `[default]\nregion = eu-west-1\naws_secret_access_key = ${r.base64(30)}\n`,
      line: 3,
    },
    {
      about: 'Maven',
      at: 'root/.m2/settings.xml',
      text: `<settings>\n <server>\n  <password>${r.base62(16)}</password>\n </server>\n</settings>\n`,
      line: 3,
    },
    { about: 'cargo', at: 'root/.cargo/credentials.toml', text: `[registry]\ntoken = "cio${r.base62(32)}"\n`, line: 2 },
    { about: 'gem', at: 'root/.gem/credentials', text: `---\n:rubygems_api_key: ${r.hex(48)}\n`, line: 2 },
    {
      about: 'gh',
      at: 'root/.config/gh/hosts.yml',
      text: `github.com:\n  oauth_token: gh${'o_'}${r.base62(36)}\n`,
      line: 2,
    },
    {
      about: 'terraform',
      at: 'root/.terraform.d/credentials.tfrc.json',
      text: `{"credentials": {"app.corp.internal": {"token": "${r.base62(40)}"}}}`,
    },
    {
      about: 'composer',
      at: 'root/.composer/auth.json',
      text: `{"http-basic": {"repo.corp.internal": {"username": "jo", "password": "${r.base62(20)}"}}}`,
    },
  ]
}

function settings(r: RandomValues): Planted[] {
  return [
    { about: '.env', at: 'app/.env', text: `PORT=80\nDB_PASSWORD=${r.base62(16)}\n`, line: 2 },
    { about: '.env with quotes', at: 'app/.env.production', text: `export SESSION_SECRET="${r.base62(32)}"\n` },
    { about: '.env, SECRET_KEY_BASE', at: 'rails/.env', text: `SECRET_KEY_BASE=${r.hex(128)}\n` },
    { about: 'Laravel', at: 'laravel/.env', text: `APP_ENV=production\nMAIL_PASSWORD=${r.base62(20)}\n`, line: 2 },
    {
      about: 'YAML',
      at: 'conf/db.yml',
      text: `production:\n  adapter: pg\n  password: "${r.base62(12)}!4"\n`,
      line: 3,
    },
    { about: 'JSON', at: 'conf/db.json', text: `{\n  "host": "db",\n  "apiKey": "${r.base62(32)}"\n}\n`, line: 3 },
    { about: 'properties', at: 'conf/app.properties', text: `spring.mail.password=${r.base62(14)}\n` },
    { about: 'INI', at: 'conf/app.ini', text: `[smtp]\npasswd = ${r.base62(14)}\n`, line: 2 },
    { about: 'TOML', at: 'conf/app.toml', text: `[auth]\nclient_secret = "${r.base62(40)}"\n`, line: 2 },
    { about: 'Terraform', at: 'conf/terraform.tfvars', text: `db_password = "${r.base62(20)}"\n` },
    {
      about: 'Python',
      at: 'app/settings.py',
      text: `DEBUG = False\nSECRET_KEY = os.environ["SECRET_KEY"]\nDB_PASSWORD = "${''}${r.base62(18)}4"\n`,
      line: 3,
    },
    { about: 'PHP', at: 'web/wp-config.php', text: `<?php\ndefine('DB_PASSWORD', '${r.base62(16)}7');\n`, line: 2 },
    {
      about: 'JavaScript',
      at: 'web/config.js',
      text: `module.exports = {\n  jwtSecret: '${r.base62(32)}3',\n}\n`,
      line: 2,
    },
    {
      about: 'XML',
      at: 'conf/server.xml',
      text: `<config>\n  <password>${r.base62(16)}8</password>\n</config>\n`,
      line: 2,
    },
    {
      about: 'systemd unit',
      at: 'etc/systemd/system/app.service',
      text: `[Service]\nEnvironment=API_TOKEN=${r.base62(32)}\n`,
      line: 2,
    },
    { about: 'shell script', at: 'srv/start.sh', text: `#!/bin/sh\nexport VAULT_TOKEN=${r.base62(26)}\n`, line: 2 },
    {
      about: 'Azure storage',
      at: 'conf/azure.json',
      text: `{"storage": "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=${r.base64(64)};EndpointSuffix=core.windows.net"}`,
    },
  ]
}

function addresses(r: RandomValues): Planted[] {
  const jwt = [
    Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url'),
    Buffer.from(`{"sub":"svc-${r.hex(6)}","iss":"corp","iat":1700000000}`).toString('base64url'),
    r.base64url(43),
  ].join('.')
  return [
    { about: 'Postgres', at: 'srv/a.yaml', text: `url: postgres://app:${r.base62(14)}@db.corp.internal:5432/app\n` },
    {
      about: 'MongoDB',
      at: 'srv/b.js',
      text: `connect("mongodb+srv://app:${r.base62(14)}@cluster0.ab1cd.mongodb.net/test")\n`,
    },
    { about: 'Redis', at: 'srv/c.conf', text: `broker redis://:${r.base62(14)}@cache.corp.internal:6379/0\n` },
    { about: 'AMQP', at: 'srv/d.ini', text: `broker = amqp://svc:${r.base62(14)}@mq.corp.internal//\n` },
    {
      about: 'pip index',
      at: 'etc/pip.conf',
      text: `[global]\nindex-url = https://ci:${r.base62(20)}@pypi.corp.internal/simple\n`,
      line: 2,
    },
    {
      about: 'apt source',
      at: 'etc/apt/sources.list',
      text: `deb https://bot:${r.base62(16)}@apt.corp.internal/debian bookworm main\n`,
    },
    {
      about: 'S3 signed',
      at: 'srv/e.sh',
      text: `curl 'https://b.s3.amazonaws.com/x?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=${r.hex(64)}'\n`,
    },
    {
      about: 'GCS signed',
      at: 'srv/f.sh',
      text: `curl 'https://storage.googleapis.com/b/x?X-Goog-Algorithm=G&X-Goog-Signature=${r.hex(512)}'\n`,
    },
    {
      about: 'Azure SAS',
      at: 'srv/g.sh',
      text: `curl 'https://x.blob.core.windows.net/c?sv=2022-11-02&se=2030-01-01&sr=c&sp=r&sig=${encodeURIComponent(r.base64(32))}'\n`,
    },
    {
      about: 'bearer',
      at: 'srv/h.sh',
      text: `curl -H "Authorization: Bearer ${r.base62(40)}" https://api.corp.internal\n`,
    },
    { about: 'basic', at: 'srv/i.py', text: `headers = {"Authorization": "Basic ${b64(`jo:${r.base62(14)}`)}"}\n` },
    { about: 'JWT', at: 'srv/j.txt', text: `${jwt}\n` },
    { about: 'JWT in YAML', at: 'srv/k.yaml', text: `# service\naccess: ${jwt}\n`, line: 2 },
  ]
}

function configuration(r: RandomValues): Planted[] {
  return [
    { about: 'ENV', at: 'env:DATABASE_PASSWORD', text: r.base62(16) },
    { about: 'ENV token', at: 'env:CI', text: `glp${'at-'}${r.base64url(20)}` },
    { about: 'ENV address', at: 'env:DATABASE_URL', text: `postgres://app:${r.base62(14)}@db.corp.internal/app` },
    { about: 'ENV AWS', at: 'env:AWS_SECRET_ACCESS_KEY', text: r.base64(30) },
    { about: 'LABEL', at: 'label:deploy.token', text: r.base62(32) },
    { about: 'LABEL key', at: 'label:ci', text: `gh${'p_'}${r.base62(36)}` },
    { about: 'ARG in the history', at: 'arg:NPM_TOKEN', text: `np${'m_'}${r.base62(36)}` },
    { about: 'ARG password in the history', at: 'arg:REGISTRY_PASSWORD', text: r.base62(18) },
    { about: 'CMD', at: 'cmd:', text: `gh${'p_'}${r.base62(36)}` },
  ]
}
