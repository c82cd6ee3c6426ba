import { file, goneFile, member, type Sample, setting } from '../second/sample.ts'

/** Secrets as they stand in scripts, deployments and server settings: other tools and other words than in the second set. */
export const thirdSecrets: readonly Sample[] = [
  file(
    'opt/run/start.sh',
    v => `#!/bin/bash\ndocker run -d -e MYSQL_ROOT_PASSWORD=«${v.human()}» -p 3306:3306 mysql:8\n`,
  ),
  file(
    'etc/systemd/system/api.service',
    v => `[Service]\nEnvironment="API_TOKEN=«${v.base62(32)}»"\nExecStart=/opt/api\n`,
  ),
  file(
    'opt/ecs/task.json',
    v => `{"containerDefinitions":[{"environment":[{"name":"DB_PASSWORD","value":"«${v.password(18)}»"}]}]}\n`,
  ),
  file('opt/k8s/env.yaml', v => `    env:\n    - name: SMTP_PASSWORD\n      value: "«${v.human()}»"\n`),
  file('opt/helm/up.sh', v => `helm upgrade shop ./chart --set auth.rootPassword=«${v.base62(16)}» --wait\n`),
  file(
    'opt/py/db.py',
    v => `conn = psycopg2.connect("dbname=shop user=shop host=10.2.0.3 password=«${v.base62(14)}»")\n`,
  ),
  file(
    'opt/py/conf.py',
    v => `DATABASES = {'default': {'ENGINE': 'mysql', 'USER': 'shop', 'PASSWORD': '«${v.password(14)}»'}}\n`,
  ),
  file('opt/ci/.gitlab-ci.yml', v => `variables:\n  NEXUS_PASSWORD: "«${v.password(16)}»"\n  GIT_DEPTH: "1"\n`),
  file('opt/ci/Jenkinsfile', v => `withEnv(["SONAR_TOKEN=«${v.hex(40)}»", "MODE=ci"]) { sh 'make' }\n`),
  file(
    'opt/tomcat/conf/tomcat-users.xml',
    v => `<tomcat-users>\n  <user username="admin" password="«${v.human()}»" roles="manager-gui"/>\n</tomcat-users>\n`,
  ),
  file(
    'opt/tomcat/conf/server.xml',
    v => `<Connector port="8443" keystoreFile="conf/k.jks" keystorePass="«${v.base62(12)}»" />\n`,
  ),
  file(
    'opt/java/hibernate.cfg.xml',
    v =>
      `<session-factory>\n  <property name="hibernate.connection.password">«${v.human()}»</property>\n</session-factory>\n`,
  ),
  file(
    'opt/php/database.php',
    v => `<?php return ['password' => env('DB_PASSWORD', '«${v.password(15)}»'), 'charset' => 'utf8'];\n`,
  ),
  file('etc/haproxy/haproxy.cfg', v => `listen stats\n  stats enable\n  stats auth admin:«${v.base62(14)}»\n`),
  file('etc/grafana/grafana.ini', v => `[security]\nadmin_user = admin\nadmin_password = «${v.human()}»\n`),
  file('opt/airflow/airflow.cfg', v => `[core]\nfernet_key = «${v.base64(32)}»\n`),
  file('root/.jupyter/jupyter_notebook_config.py', v => `c.NotebookApp.token = '«${v.hex(48)}»'\n`),
  file('opt/sh/aws.sh', v => `aws configure set aws_secret_access_key «${v.base64(30)}»\n`),
  file('opt/sh/npm.sh', v => `npm config set //npm.acme.io/:_authToken «${v.uuid()}»\n`),
  file('opt/sh/poetry.sh', v => `poetry config http-basic.acme ci «${v.password(16)}»\n`),
  file('opt/sh/heroku.sh', v => `heroku config:set SESSION_SECRET=«${v.hex(64)}» -a shop\n`),
  file('opt/sh/mvn.sh', v => `mvn deploy -Drepo.username=ci -Drepo.password=«${v.base62(16)}»\n`),
  file('opt/sh/vault.sh', v => `curl -H "X-Vault-Token: «hvs.${v.url64(24)}»" $VAULT_ADDR/v1/secret/data/x\n`),
  file('opt/sh/ssl.sh', v => `openssl rsa -in a.key -out b.key -passin pass:«${v.base62(12)}»\n`),
  goneFile(
    'opt/sh/remote.sh',
    v => `git remote add origin https://x-access-token:«ghs_${v.checked()}»@github.com/acme/x\n`,
  ),
  file(
    'opt/js/client.mjs',
    v => `const response = await fetch(url, { headers: { 'x-api-key': '«${v.base62(40)}»' } });\n`,
  ),
  file('opt/js/graph.ts', v => `const headers = { Authorization: 'Token «${v.hex(40)}»' };\n`),
  file('opt/postman/env.json', v => `{"values":[{"key":"access_token","value":"«${v.base62(48)}»","enabled":true}]}\n`),
  file(
    'opt/gcp/creds.env',
    v =>
      `GOOGLE_CREDENTIALS=«${Buffer.from(JSON.stringify({ type: 'service_account', project_id: 'shop', private_key_id: v.hex(40), private_key: v.pem('PRIVATE' + ' KEY', 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ', 1170) })).toString('base64')}»\n`,
  ),
  file(
    'opt/tf/key.tf',
    v =>
      `resource "tls" "x" {\n  private_key = <<EOT\n«${v.pem('RSA PRIVATE' + ' KEY', 'MIIEpAIBAAKCAQEA', 1170)}»\nEOT\n}\n`,
  ),
  file('opt/rb/initializer.rb', v => `Devise.setup { |config| config.secret_key = '«${v.hex(128)}»' }\n`),
  file('opt/ex/prod.exs', v => `config :shop, ShopWeb.Endpoint, secret_key_base: "«${v.base64(48)}»"\n`),
  file('opt/cs/Program.cs', v => `var jwt = new Settings { JwtSecret = "«${v.base62(44)}»", Issuer = "acme" };\n`),
  file('opt/kt/Api.kt', v => `private const val MAPS_API_KEY = "«AIza${v.url64(35)}»"\n`),
  file('opt/swift/Keys.swift', v => `let clientSecret = "«${v.base62(36)}»"\n`),
  file(
    'opt/elk/logstash.conf',
    v => `output { elasticsearch { hosts => ["es:9200"] user => "logstash" password => "«${v.password(16)}»" } }\n`,
  ),
  file('etc/freeradius/clients.conf', v => `client office {\n  ipaddr = 10.0.0.0/8\n  secret = «${v.base62(20)}»\n}\n`),
  file(
    'etc/openvpn/server/mgmt.conf',
    v => `auth-user-pass auth.txt\nhttp-proxy-user ci\nproxy_password «${v.human()}»\n`,
  ),
  file('opt/proxy/urls.csv', v => `name,url\nmain,https://svc:«${v.base62(18)}»@api.acme.io/v1\n`),
  file('opt/log/boot.log', v => `2024-01-02 DEBUG using dsn mysql://root:«${v.base62(16)}»@10.3.3.3:3306/shop\n`),
  setting('env', 'third dsn', v => `CACHE_URL=rediss://default:«${v.base62(24)}»@cache.acme.io:6380`),
  setting(
    'env',
    'third slack',
    v => `ALERTS=«https://hooks.slack.com/services/T${v.upper(9)}/B${v.upper(10)}/${v.base62(24)}»`,
  ),
  setting('label', 'third token', v => `io.acme.ci.gitlab=«glpat-${v.url64(20)}»`),
  setting(
    'history',
    'third pip',
    v => `RUN /bin/sh -c pip install --index-url https://ci:«${v.base62(18)}»@pypi.acme.io/simple shop # buildkit`,
  ),
  setting(
    'history',
    'third user',
    v => `RUN /bin/sh -c useradd app && echo "app:«${v.human()}»" | chpasswd # buildkit`,
  ),
  setting('history', 'third export', v => `/bin/sh -c export SENTRY_AUTH_TOKEN=«${v.hex(64)}» && make release`),
  member(
    'opt/bak/site.tgz',
    'site/config/parameters.yml',
    v => `parameters:\n  mailer_password: «${v.password(16)}»\n`,
  ),
  member('opt/bak/keys.zip', 'id_ecdsa', v => `«${v.pem('EC PRIVATE' + ' KEY', 'MHcCAQEEI', 115)}»\n`),
]
