import { file, goneFile, type Sample } from './sample.ts'

const basic = (user: string, password: string): string => Buffer.from(`${user}:${password}`).toString('base64')

/** Credentials in the files of tools, in connection strings and signed addresses, in programs and logs. */
export const secretFiles: readonly Sample[] = [
  file('root/.npmrc', v => `registry=https://npm.acme.io/\n//npm.acme.io/:_authToken=«${v.uuid()}»\n`),
  goneFile('srv/web/.npmrc', v => `_auth=«${basic('ci', v.password(20))}»\nemail=ci@acme.io\nalways-auth=true\n`),
  file(
    'srv/old/.npmrc',
    v => `//npm.acme.io/:username=ci\n//npm.acme.io/:_password=«${Buffer.from(v.password(18)).toString('base64')}»\n`,
  ),
  file('root/.netrc', v => `machine git.acme.io\n  login deploy\n  password «${v.password(18)}»\n`),
  file('home/dev/.netrc', v => `machine api.heroku.com login dev@acme.io password «${v.human()}»\n`),
  file(
    'root/.pypirc',
    v =>
      `[distutils]\nindex-servers = acme\n\n[acme]\nrepository = https://pypi.acme.io\nusername = ci\npassword = «${v.human()}»\n`,
  ),
  file('root/.git-credentials', v => `https://deploy:«${v.password(20)}»@git.acme.io\n`),
  goneFile(
    'srv/src/.git/config',
    v =>
      `[remote "origin"]\n\turl = https://oauth2:«${v.base62(20)}»@git.acme.io/team/app.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`,
  ),
  file('root/.docker/config.json', v => `{"auths":{"registry.acme.io":{"auth":"«${basic('ci', v.password(16))}»"}}}\n`),
  file(
    'home/dev/.docker/config.json',
    v =>
      `{"auths":{"acme.azurecr.io":{"auth":"","identitytoken":"«${v.jwt({ jti: v.uuid(), sub: 'dev', exp: 2_000_000_000 })}»"}}}\n`,
  ),
  file(
    'run/containers/0/auth.json',
    v => `{\n\t"auths": {\n\t\t"quay.io": {\n\t\t\t"auth": "«${basic('acme+bot', v.upper(64))}»"\n\t\t}\n\t}\n}\n`,
  ),
  file(
    'root/.kube/config',
    v => `apiVersion: v1\nkind: Config\nusers:\n- name: admin\n  user:\n    token: «${v.base62(40)}»\n`,
  ),
  file(
    'home/dev/.kube/config',
    v =>
      `users:\n- name: dev\n  user:\n    client-key-data: «${Buffer.from(v.pem('RSA PRIVATE' + ' KEY', 'MIIEpAIBAAKCAQEA', 1170)).toString('base64')}»\n`,
  ),
  file(
    'etc/kube/basic.yaml',
    v => `users:\n- name: legacy\n  user:\n    username: admin\n    password: «${v.password(16)}»\n`,
  ),
  file(
    'srv/s3/links.txt',
    v =>
      `https://acme.s3.eu-central-1.amazonaws.com/dump.sql?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA${v.base32(16)}%2F20240501%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20240501T000000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature=«${v.hex(64)}»\n`,
  ),
  file(
    'srv/s3/old.txt',
    v =>
      `curl -O "https://acme.s3.amazonaws.com/a.tgz?AWSAccessKeyId=AKIA${v.base32(16)}&Expires=1893456000&Signature=«${v.base62(27)}%3D»"\n`,
  ),
  file(
    'srv/gcs/link.md',
    v =>
      `[dump](https://storage.googleapis.com/acme/dump.gz?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=ci%40acme.iam.gserviceaccount.com%2F20240501%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=20240501T000000Z&X-Goog-Expires=3600&X-Goog-SignedHeaders=host&X-Goog-Signature=«${v.hex(512)}»)\n`,
  ),
  file(
    'srv/azure/blob.sh',
    v =>
      `azcopy copy "https://acme.blob.core.windows.net/backup?sv=2022-11-02&ss=b&srt=co&sp=rwdl&se=2030-01-01T00:00:00Z&spr=https&sig=«${encodeURIComponent(v.base64(32))}»" /data\n`,
  ),
  file(
    'srv/cdn/link.json',
    v =>
      `{"url":"https://d1k2.cloudfront.net/v.mp4?Expires=1893456000&Signature=«${v.url64(342)}__»&Key-Pair-Id=K${v.upper(13)}"}\n`,
  ),
  file(
    'srv/db/pg.env',
    v => `DATABASE_URL=postgres://orders:«${v.password(20).replaceAll(/[#%]/g, 'x')}»@db.internal:5432/orders\n`,
  ),
  file(
    'srv/db/mysql.py',
    v =>
      `engine = create_engine("mysql+pymysql://app:«${v.human().replace('!', '-')}»@10.0.3.7/shop?charset=utf8mb4")\n`,
  ),
  file(
    'srv/db/mongo.js',
    v => `mongoose.connect('mongodb+srv://app:«${v.base62(16)}»@cluster0.ab1cd.mongodb.net/prod?retryWrites=true');\n`,
  ),
  file('srv/db/redis.yml', v => `redis:\n  url: redis://:«${v.base62(32)}»@cache.internal:6379/0\n`),
  file('srv/db/amqp.toml', v => `broker = "amqps://worker:«${v.base62(18)}»@mq.acme.io:5671/prod"\n`),
  file(
    'srv/db/jdbc.properties',
    v => `jdbc.url=jdbc:postgresql://db.acme.io/erp?user=erp&password=«${v.base62(14)}»&ssl=true\n`,
  ),
  file(
    'srv/db/ado.config',
    v =>
      `<add name="Main" connectionString="Server=tcp:sql.acme.io,1433;Database=erp;User ID=erp;Password=«${v.password(16).replaceAll(/[#%]/g, 'x')}»;Encrypt=true" />\n`,
  ),
  file(
    'srv/db/appsettings.json',
    v =>
      `{\n  "ConnectionStrings": {\n    "Default": "Host=pg;Username=web;Password=«${v.human()}»;Database=web"\n  }\n}\n`,
  ),
  file('srv/db/odbc.ini', v => `[erp]\nDriver=FreeTDS\nServer=sql.acme.io\nUID=erp\nPWD=«${v.human()}»\n`),
  file('srv/ftp/mirror.sh', v => `lftp ftp://mirror:«${v.base62(12)}»@ftp.acme.io -e "mirror /in"\n`),
  file('srv/proxy/environment', v => `http_proxy=http://build:«${v.base62(14)}»@proxy.acme.io:3128/\n`),
  file(
    'srv/tf/terraform.tfstate',
    v =>
      `{\n  "version": 4,\n  "resources": [{\n    "type": "aws_db_instance",\n    "instances": [{ "attributes": {\n      "identifier": "orders",\n      "password": "«${v.password(24)}»",\n      "port": 5432 } }]\n  }]\n}\n`,
  ),
  goneFile('srv/tf/prod.tfvars', v => `region = "eu-central-1"\ndb_password = "«${v.human()}»"\n`),
  file(
    'srv/tf/main.tf',
    v => `provider "rancher2" {\n  api_url    = "https://rancher.acme.io"\n  secret_key = "«${v.lower(54)}»"\n}\n`,
  ),
  file(
    'srv/java/application.properties',
    v => `spring.datasource.username=orders\nspring.datasource.password=«${v.human()}»\n`,
  ),
  file(
    'srv/java/application.yml',
    v => `spring:\n  mail:\n    host: smtp.acme.io\n    password: «${v.password(16)}»\n`,
  ),
  file(
    'srv/java/Settings.java',
    v => `public final class Settings {\n  private static final String DB_PASSWORD = "«${v.human()}»";\n}\n`,
  ),
  file(
    'root/.m2/settings.xml',
    v =>
      `<settings><servers><server>\n  <id>releases</id>\n  <username>ci</username>\n  <password>«${v.password(18)}»</password>\n</server></servers></settings>\n`,
  ),
  file('root/.gradle/gradle.properties', v => `org.gradle.parallel=true\nnexusPassword=«${v.password(14)}»\n`),
  file('root/.gradle/signing.properties', v => `signing.keyId=24875D73\nsigning.password=«${v.human()}»\n`),
  file('root/.sbt/.credentials', v => `realm=Artifactory\nhost=repo.acme.io\nuser=ci\npassword=«${v.base62(18)}»\n`),
  file('root/.pgpass', v => `db.acme.io:5432:orders:orders:«${v.base62(20)}»\n`),
  file('root/.my.cnf', v => `[client]\nuser=root\npassword="«${v.human()}»"\n`),
  file(
    'var/www/wp-config.php',
    v => `<?php\ndefine( 'DB_USER', 'wp' );\ndefine( 'DB_PASSWORD', '«${v.password(16)}»' );\n`,
  ),
  file(
    'var/www/salts.php',
    v =>
      `<?php\ndefine('AUTH_KEY',         '«${v.of('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_[]{}+=|.,', 64)}»');\n`,
  ),
  file(
    'var/www/drupal/settings.php',
    v =>
      `$databases['default']['default'] = array (\n  'database' => 'cms',\n  'username' => 'cms',\n  'password' => '«${v.password(14)}»',\n);\n`,
  ),
  file('var/www/laravel/.env', v => `APP_ENV=production\nAPP_KEY=base64:«${v.base64(32)}»\n`),
  file('var/www/config.inc.php', v => `<?php\n$cfg['blowfish_secret'] = '«${v.base62(32)}»';\n`),
  file('srv/rails/config/master.key', v => `«${v.hex(32)}»`),
  file('srv/rails/config/secrets.yml', v => `production:\n  secret_key_base: «${v.hex(128)}»\n`),
  file(
    'srv/django/settings.py',
    v => `DEBUG = False\nSECRET_KEY = '«${v.of('abcdefghijklmnopqrstuvwxyz0123456789!@%^&*(-_=+)', 50)}»'\n`,
  ),
  file('root/.s3cfg', v => `[default]\naccess_key = ${v.upper(20)}\nsecret_key = «${v.base62(40)}»\n`),
  file('root/.config/rclone/rclone.conf', v => `[nas]\ntype = sftp\nhost = nas.acme.io\npass = «${v.url64(38)}»\n`),
  file(
    'root/.boto',
    v => `[Credentials]\ngs_access_key_id = GOOG1E${v.upper(55)}\ngs_secret_access_key = «${v.base64(30)}»\n`,
  ),
  file(
    'root/.composer/auth.json',
    v => `{"http-basic":{"repo.packagist.com":{"username":"token","password":"«${v.hex(60)}»"}}}\n`,
  ),
  file('etc/pip.conf', v => `[global]\nextra-index-url = https://ci:«${v.base62(16)}»@pypi.acme.io/simple\n`),
  goneFile(
    'srv/web/.yarnrc.yml',
    v => `npmScopes:\n  acme:\n    npmRegistryServer: "https://npm.acme.io"\n    npmAuthToken: «${v.base62(36)}»\n`,
  ),
  file(
    'root/.nuget/NuGet/NuGet.Config',
    v =>
      `<packageSourceCredentials><acme>\n  <add key="Username" value="ci" />\n  <add key="ClearTextPassword" value="«${v.password(16)}»" />\n</acme></packageSourceCredentials>\n`,
  ),
  file('etc/apt/auth.conf.d/acme.conf', v => `machine apt.acme.io/debian login ci password «${v.base62(20)}»\n`),
  file(
    'etc/yum.repos.d/acme.repo',
    v => `[acme]\nbaseurl=https://yum.acme.io/el9\nusername=ci\npassword=«${v.base62(16)}»\n`,
  ),
  file('root/.curlrc', v => `user = "ci:«${v.password(16)}»"\n`),
  file('root/.wgetrc', v => `http_user=ci\nhttp_password=«${v.human()}»\n`),
  file(
    'root/.config/helm/repositories.yaml',
    v => `repositories:\n- name: acme\n  url: https://charts.acme.io\n  username: ci\n  password: «${v.base62(16)}»\n`,
  ),
  file(
    'srv/compose/docker-compose.yml',
    v => `services:\n  db:\n    environment:\n      POSTGRES_USER: web\n      POSTGRES_PASSWORD: «${v.human()}»\n`,
  ),
  file(
    'srv/compose/list.yml',
    v => `services:\n  api:\n    environment:\n      - RABBITMQ_DEFAULT_PASS=«${v.password(16)}»\n      - TZ=UTC\n`,
  ),
  file(
    'srv/k8s/secret.yaml',
    v =>
      `apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  password: «${Buffer.from(v.password(18)).toString('base64')}»\n`,
  ),
  file('srv/k8s/string.yaml', v => `apiVersion: v1\nkind: Secret\nstringData:\n  smtp-password: «${v.human()}»\n`),
  file(
    'etc/ansible/hosts',
    v => `[db]\ndb1 ansible_host=10.0.0.4 ansible_user=root ansible_ssh_pass=«${v.password(14)}»\n`,
  ),
  file('etc/redis/redis.conf', v => `bind 0.0.0.0\nrequirepass «${v.password(24)}»\n`),
  file(
    'etc/sssd/sssd.conf',
    v => `[domain/acme]\nldap_default_bind_dn = cn=ro,dc=acme\nldap_default_authtok = «${v.human()}»\n`,
  ),
  file('etc/samba/backup.cred', v => `username=backup\npassword=«${v.human()}»\ndomain=ACME\n`),
  file('etc/wpa_supplicant.conf', v => `network={\n  ssid="office"\n  psk="«${v.human()}»"\n}\n`),
  file('etc/msmtprc', v => `account acme\nhost smtp.acme.io\nuser bot\npassword «${v.password(16)}»\n`),
  file('etc/postfix/sasl_passwd', v => `[smtp.acme.io]:587 bot@acme.io:«${v.password(16)}»\n`),
  file('etc/ldap/ldap.conf', v => `base dc=acme,dc=io\nbinddn cn=ro,dc=acme\nbindpw «${v.human()}»\n`),
  file('etc/supervisord.conf', v => `[inet_http_server]\nport=9001\nusername=admin\npassword=«${v.human()}»\n`),
  file(
    'root/.config/filezilla/sitemanager.xml',
    v =>
      `<Server><Host>ftp.acme.io</Host><User>web</User><Pass encoding="base64">«${Buffer.from(v.password(15)).toString('base64')}»</Pass></Server>\n`,
  ),
  goneFile('root/.bash_history', v => `ls\nmysql -uroot -p«${v.base62(16)}» shop\nexit\n`),
  file(
    'home/dev/.bash_history',
    v => `cd /srv\ncurl -u admin:«${v.human()}» https://nexus.acme.io/service/rest/v1/status\n`,
  ),
  file('home/ops/.bash_history', v => `sshpass -p '«${v.password(14)}»' scp a.tgz root@10.1.1.1:/tmp\n`),
  file(
    'home/ops/.zsh_history',
    v => `: 1714550000:0;docker login registry.acme.io -u ci --password «${v.base62(20)}»\n`,
  ),
  file('root/.psql_history', v => `ALTER USER orders WITH PASSWORD '«${v.human()}»';\n`),
  file('srv/sql/users.sql', v => `CREATE USER 'web'@'%' IDENTIFIED BY '«${v.password(16)}»';\n`),
  file(
    'srv/http/call.py',
    v => `headers = {"Authorization": "Bearer «${v.url64(43)}»", "Accept": "application/json"}\n`,
  ),
  file('srv/http/call.sh', v => `curl -s -H 'X-API-Key: «${v.base62(32)}»' https://api.acme.io/v1/items\n`),
  file(
    'srv/http/nginx.conf',
    v => `location / {\n  proxy_set_header Authorization "Basic «${basic('edge', v.password(14))}»";\n}\n`,
  ),
  goneFile(
    'var/log/app/access.log',
    v => `10.0.0.1 - - "GET /v1/me?access_token=«${v.base62(40)}»&v=2 HTTP/1.1" 200\n`,
  ),
  file('srv/web/api.js', v => `const apiKey = '«${v.base62(32)}»';\nfetch('/x', { headers: { key: apiKey } });\n`),
  file(
    'srv/go/config.go',
    v => `var cfg = Config{\n\tHost:         "db.acme.io",\n\tClientSecret: "«${v.base62(40)}»",\n}\n`,
  ),
  file('srv/c/keys.h', v => `#define UPLOAD_SECRET "«${v.base62(32)}»"\n`),
  file('srv/ios/Info.plist', v => `<dict>\n  <key>APISecret</key>\n  <string>«${v.base62(32)}»</string>\n</dict>\n`),
  file(
    'srv/net/web.config',
    v => `<appSettings>\n  <add key="PaymentApiSecret" value="«${v.base62(40)}»" />\n</appSettings>\n`,
  ),
  file('srv/rust/config.toml', v => `[smtp]\nhost = "smtp.acme.io"\npassword = "«${v.password(16)}»"\n`),
  file('srv/Dockerfile', v => `FROM node:20\nENV PORT=80\nENV SESSION_SECRET=«${v.base62(40)}»\n`),
  file(
    'srv/ci/.github/workflows/deploy.yml',
    v => `jobs:\n  deploy:\n    env:\n      DEPLOY_TOKEN: «${v.base62(40)}»\n`,
  ),
  file('srv/ps/setup.ps1', v => `$password = ConvertTo-SecureString "«${v.human()}»" -AsPlainText -Force\n`),
  file('srv/expect/login.exp', v => `spawn ssh admin@10.0.0.9\nexpect "password:"\nsend "«${v.human()}»\\r"\n`),
  file('srv/php/mail.php', v => `<?php\n$mail->Username = 'bot@acme.io';\n$mail->Password = '«${v.human()}»';\n`),
  file(
    'srv/ruby/database.yml',
    v =>
      `production:\n  adapter: postgresql\n  username: shop\n  password: <%= ENV['PW'] || '«${v.password(16)}»' %>\n`,
  ),
]
