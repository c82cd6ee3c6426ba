import { type Sample, setting } from './sample.ts'

/** Near misses in the image's configuration and history. */
export const harmlessPlaces: readonly Sample[] = [
  setting('env', 'fingerprint', v => `GPG_KEY=${v.upperHex(40)}`),
  setting('env', 'checksum', v => `GOLANG_DOWNLOAD_SHA256=${v.hex(64)}`),
  setting('env', 'file', () => `POSTGRES_PASSWORD_FILE=/run/secrets/postgres`),
  setting('env', 'reference', () => `VAULT_TOKEN_PATH=/var/run/secrets/token`),
  setting('env', 'empty', () => `MINIO_SECRET_KEY=`),
  setting('env', 'commit', v => `GIT_COMMIT=${v.hex(40)}`),
  setting('env', 'identifier', v => `AZURE_CLIENT_ID=${v.uuid()}`),
  setting('env', 'url', () => `OAUTH_TOKEN_URL=https://login.acme.io/realms/acme/protocol/openid-connect/token`),
  setting(
    'env',
    'options',
    () => `JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=/etc/ssl/cacerts -Dhttp.nonProxyHosts=localhost`,
  ),
  setting('env', 'placeholder', () => `API_TOKEN=changeme`),
  setting('env', 'cache', v => `BUILD_CACHE_KEY=linux-amd64-${v.hex(16)}`),
  setting('label', 'revision', v => `org.opencontainers.image.revision=${v.hex(40)}`),
  setting('label', 'digest', v => `org.opencontainers.image.base.digest=sha256:${v.hex(64)}`),
  setting('label', 'help', () => `io.acme.usage=docker run -e PASSWORD=<password> acme/app`),
  setting('label', 'traefik', () => `traefik.http.routers.auth.middlewares=token-check@file`),
  setting('history', 'sum', v => `RUN /bin/sh -c echo "${v.hex(64)}  app.tgz" | sha256sum -c - # buildkit`),
  setting(
    'history',
    'gpg',
    v => `RUN /bin/sh -c gpg --batch --keyserver hkps://keys.openpgp.org --recv-keys ${v.upperHex(40)} # buildkit`,
  ),
  setting(
    'history',
    'secret mount',
    () => `RUN --mount=type=secret,id=npm NPM_TOKEN="$(cat /run/secrets/npm)" npm ci # buildkit`,
  ),
  setting('history', 'argument', () => `ARG NPM_TOKEN`),
  setting(
    'history',
    'variables',
    () =>
      `RUN /bin/sh -c curl -u "$USER:$PASSWORD" -H "Authorization: Bearer \${TOKEN}" https://repo.acme.io/x # buildkit`,
  ),
  setting('history', 'copy', v => `COPY file:${v.hex(64)} in /etc/app/password.conf `),
  setting(
    'history',
    'clone',
    () =>
      `RUN /bin/sh -c git clone https://git@git.acme.io/lib.git && git config --global credential.helper store # buildkit`,
  ),
  setting(
    'history',
    'chage',
    () => `RUN /bin/sh -c adduser --disabled-password --gecos "" app && passwd -l root # buildkit`,
  ),
  setting('command', 'flags', () => `serve\n--password-file\n/run/secrets/admin\n--token-ttl=3600`),
  setting('healthcheck', 'plain', () => `CMD-SHELL\ncurl -f -H "X-Token: $TOKEN" http://localhost/health || exit 1`),
]
