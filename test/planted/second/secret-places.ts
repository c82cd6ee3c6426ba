import { member, type Sample, setting } from './sample.ts'

/** Secrets in the image's configuration and history, in archives, and in what package managers leave. */
export const secretPlaces: readonly Sample[] = [
  setting('env', 'generic', v => `ADMIN_PASSWORD=«${v.human()}»`),
  setting('env', 'url', v => `MONGO_URI=mongodb://root:«${v.base62(18)}»@mongo.acme.io:27017/?authSource=admin`),
  setting('env', 'secret key', v => `JWT_SECRET=«${v.hex(64)}»`),
  setting('env', 'basic', v => `PIP_INDEX_URL=https://ci:«${v.base62(20)}»@pypi.acme.io/simple`),
  setting(
    'env',
    'opts',
    v => `JAVA_OPTS=-Xmx1g -Djavax.net.ssl.keyStorePassword=«${v.base62(14)}» -Dfile.encoding=UTF-8`,
  ),
  setting('label', 'password', v => `io.acme.db.password=«${v.human()}»`),
  setting('label', 'traefik', v => `io.acme.upstream=https://ops:«${v.base62(18)}»@stats.acme.io/`),
  setting(
    'history',
    'clone',
    v => `RUN /bin/sh -c git clone https://build:«${v.base62(20)}»@git.acme.io/team/lib.git # buildkit`,
  ),
  setting('history', 'argument', v => `|2 DB_PASS=«${v.human()}» VERSION=3 /bin/sh -c make install`),
  setting('history', 'environment', v => `/bin/sh -c #(nop)  ENV REDIS_PASSWORD=«${v.password(18)}»`),
  setting(
    'history',
    'echo',
    v => `RUN /bin/sh -c echo "//npm.acme.io/:_authToken=«${v.uuid()}»" > ~/.npmrc && npm ci && rm ~/.npmrc # buildkit`,
  ),
  setting(
    'history',
    'header',
    v => `RUN /bin/sh -c wget --header="PRIVATE-TOKEN: «${v.base62(20)}»" https://git.acme.io/api/v4/x # buildkit`,
  ),
  setting(
    'history',
    'curl',
    v => `RUN /bin/sh -c curl -fsSL -u robot:«${v.base62(16)}» https://repo.acme.io/x.tgz | tar xz # buildkit`,
  ),
  setting('history', 'chpasswd', v => `RUN /bin/sh -c echo 'root:«${v.human()}»' | chpasswd # buildkit`),
  setting('history', 'htpasswd', v => `RUN /bin/sh -c htpasswd -bc /etc/nginx/users admin «${v.human()}» # buildkit`),
  setting('command', 'flag', v => `serve\n--admin-password\n«${v.human()}»`),
  setting('command', 'flag with sign', v => `serve\n--api-token=«${v.base62(32)}»`),
  setting(
    'healthcheck',
    'curl',
    v => `CMD-SHELL\ncurl -f -u probe:«${v.base62(16)}» http://localhost/health || exit 1`,
  ),

  member(
    'root/.npm/_cacache/content-v2/sha512/3a/7f/0c1d2e.tgz',
    'package/.env',
    v => `STRIPE_KEY=«sk_live_${v.base62(24)}»\n`,
  ),
  member(
    'root/.m2/repository/io/acme/app/1.0/app-1.0.jar',
    'application.properties',
    v => `spring.mail.password=«${v.human()}»\n`,
  ),
  member(
    'root/.m2/repository/io/acme/web/1.0/web-1.0.war',
    'WEB-INF/classes/db.yml',
    v => `db:\n  user: web\n  password: «${v.base62(16)}»\n`,
  ),
  member(
    'root/.cache/pip/wheels/9c/acme-1.0-py3-none-any.whl',
    'acme/settings.py',
    v => `API_TOKEN = "«${v.base62(40)}»"\n`,
  ),
  member(
    'var/cache/apt/archives/acme-agent_1.0_amd64.deb',
    'etc/acme/agent.conf',
    v => `server=agent.acme.io\nenrollment_token=«${v.base62(32)}»\n`,
  ),
  member('usr/local/bundle/cache/acme-1.0.gem', 'config/settings.yml', v => `github: «ghp_${v.checked()}»\n`),
  member(
    'root/.cargo/registry/cache/index/acme-0.1.0.crate',
    'acme-0.1.0/.env',
    v => `DATABASE_URL=postgres://a:«${v.base62(16)}»@pg.acme.io/a\n`,
  ),
  member(
    'root/go/pkg/mod/cache/download/acme.io/lib/@v/v1.0.0.zip',
    'acme.io/lib@v1.0.0/config.json',
    v => `{"slack": "«xoxb-${v.digits(12)}-${v.digits(12)}-${v.base62(24)}»"}\n`,
  ),
  member(
    'srv/backup/home.tar',
    'home/ops/.aws/credentials',
    v => `[prod]\naws_access_key_id=AKIA${v.base32(16)}\naws_secret_access_key=«${v.base64(30)}»\n`,
  ),
  member('srv/backup/home.zip', 'ops/.git-credentials', v => `https://ops:«ghp_${v.checked()}»@github.com\n`),
  member('srv/backup/home.tar.xz', 'ops/.netrc', v => `machine repo.acme.io login ops password «${v.base62(18)}»\n`),
  member('srv/backup/home.tar.zst', 'ops/.env', v => `OPENAI_API_KEY=«sk-proj-${v.url64(74)}T3BlbkFJ${v.url64(74)}»\n`),
  member('srv/backup/home.tar.bz2', 'ops/.pgpass', v => `pg.acme.io:5432:*:ops:«${v.base62(20)}»\n`),
  member(
    'var/log/app/app.log.2.gz',
    '',
    v => `2024-05-01 WARN retry with Authorization: Bearer «${v.jwt({ sub: 'job', exp: 2_000_000_000 })}»\n`,
  ),
  member(
    'srv/backup/dump.sql.gz',
    '',
    v => `INSERT INTO settings VALUES ('sendgrid', '«SG.${v.url64(22)}.${v.url64(43)}»');\n`,
  ),
  member(
    'srv/office/accounts.xlsx',
    'xl/sharedStrings.xml',
    v => `<sst><si><t>host</t></si><si><t>«postgres://fin:${v.base62(16)}@pg.acme.io/fin»</t></si></sst>\n`,
  ),
  member('srv/net/Acme.1.0.nupkg', 'content/appsettings.json', v => `{"Jwt": {"SigningKey": "«${v.base62(48)}»"}}\n`),
  member('srv/chart/acme-0.1.0.tgz', 'acme/values.yaml', v => `auth:\n  adminPassword: «${v.human()}»\n`),
]
