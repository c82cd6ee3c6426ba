import { file, member, type Sample, setting } from '../second/sample.ts'

/** What such scripts and settings hold that is no secret. */
export const thirdNearMisses: readonly Sample[] = [
  file(
    'opt/run/start.sh',
    () => `docker run -d -e MYSQL_ROOT_PASSWORD="$MYSQL_ROOT_PASSWORD" -e MYSQL_RANDOM_ROOT_PASSWORD=yes mysql:8\n`,
  ),
  file(
    'etc/systemd/system/api.service',
    () =>
      `[Service]\nEnvironmentFile=/etc/api/secrets.env\nLoadCredential=token:/etc/api/token\nExecStart=/opt/api --token-file=%d/token\n`,
  ),
  file(
    'opt/ecs/task.json',
    () =>
      `{"secrets":[{"name":"DB_PASSWORD","valueFrom":"arn:aws:ssm:eu-central-1:123456789012:parameter/prod/db_password"}]}\n`,
  ),
  file(
    'opt/k8s/env.yaml',
    () =>
      `- name: DB_PASSWORD_FILE\n  value: /etc/secrets/db-password\n- name: TOKEN_AUDIENCE\n  value: api://orders\n`,
  ),
  file(
    'opt/helm/up.sh',
    () => `helm upgrade shop ./chart --set auth.existingSecret=shop-auth --set auth.password="$PW"\n`,
  ),
  file(
    'opt/py/db.py',
    () =>
      `conn = psycopg2.connect(dbname=DB, user=USER, password=os.environ["PGPASSWORD"])\nPASSWORD_REGEX = r"^(?=.*[A-Z])(?=.*\\d).{12,}$"\n`,
  ),
  file(
    'opt/py/fixture.py',
    () =>
      `def test_login(client):\n    client.post("/login", data={"password": "wrong-password"})\n    assert token_is_valid(token="invalid-token")\n`,
  ),
  file(
    'opt/ci/.gitlab-ci.yml',
    () =>
      `script:\n  - docker login -u "$CI_REGISTRY_USER" -p "$CI_REGISTRY_PASSWORD" $CI_REGISTRY\n  - echo $CI_JOB_TOKEN\n`,
  ),
  file(
    'opt/ci/Jenkinsfile',
    () => `withCredentials([string(credentialsId: 'sonar-token', variable: 'SONAR_TOKEN')]) { sh 'make' }\n`,
  ),
  file(
    'opt/tomcat/conf/tomcat-users.xml',
    () => `<!--\n  <user username="admin" password="<must-be-changed>" roles="manager-gui"/>\n-->\n`,
  ),
  file(
    'opt/java/hibernate.cfg.xml',
    () =>
      `<property name="hibernate.connection.password">\${db.password}</property>\n<property name="password.encoder">bcrypt</property>\n`,
  ),
  file(
    'opt/php/database.php',
    () => `<?php return ['password' => env('DB_PASSWORD', ''), 'token_ttl' => 3600, 'password_timeout' => 10800];\n`,
  ),
  file(
    'etc/haproxy/haproxy.cfg',
    () => `userlist ops\n  user admin password $5$k6v2\n  http-request auth realm Admin unless { http_auth(ops) }\n`,
  ),
  file(
    'etc/grafana/grafana.ini',
    () => `;admin_password = admin\n;secret_key = changeme-in-production\ntoken_rotation_interval_minutes = 10\n`,
  ),
  file(
    'opt/airflow/airflow.cfg',
    () =>
      `fernet_key = {FERNET_KEY}\nsql_alchemy_conn = sqlite:////opt/airflow/airflow.db\nsecret_key = temporary_key\n`,
  ),
  file(
    'root/.jupyter/jupyter_notebook_config.py',
    () => `# c.NotebookApp.token = '<generated>'\nc.NotebookApp.password_required = True\n`,
  ),
  file(
    'opt/sh/aws.sh',
    () =>
      `aws secretsmanager get-secret-value --secret-id prod/db --query SecretString\naws configure set aws_secret_access_key "$AWS_SECRET"\n`,
  ),
  file('opt/sh/npm.sh', () => `npm config set //npm.acme.io/:_authToken "$NPM_TOKEN"\nnpm token list\n`),
  file(
    'opt/sh/gen.sh',
    () =>
      `TOKEN=$(head -c 32 /dev/urandom | base64)\nkubectl create secret generic api --from-literal=token="$TOKEN"\nPASSWORD=\`pwgen 20 1\`\n`,
  ),
  file(
    'opt/sh/check.sh',
    v => `echo "${v.hex(128)}  key.pem" | sha512sum -c\ntest "$(git rev-parse HEAD)" = ${v.hex(40)}\n`,
  ),
  file(
    'opt/js/client.mjs',
    () =>
      `const token = localStorage.getItem('auth.token.v2');\nconst { password, ...rest } = user;\nheaders['x-api-key'] = config.apiKey;\n`,
  ),
  file(
    'opt/js/errors.ts',
    () =>
      `export enum AuthError { InvalidToken = 'auth/invalid-token-001', WeakPassword = 'auth/weak-password-002' }\n`,
  ),
  file(
    'opt/js/query.graphql',
    () => `mutation Login($password: String!) { login(password: $password) { token expiresAt } }\n`,
  ),
  file(
    'opt/postman/env.json',
    () => `{"values":[{"key":"access_token","value":"{{token}}","enabled":true},{"key":"password","value":""}]}\n`,
  ),
  file(
    'opt/gcp/pub.json',
    v => `{"${v.hex(40)}":"${v.pem('CERTIFICATE', 'MIIDHDCCAgSgAwIBAgII', 700).replaceAll('\n', '\\n')}"}\n`,
  ),
  file(
    'opt/tf/key.tf',
    () =>
      `resource "random_password" "db" {\n  length  = 24\n  special = true\n}\noutput "password" { value = random_password.db.result }\n`,
  ),
  file(
    'opt/rb/initializer.rb',
    () =>
      `config.secret_key = ENV['DEVISE_SECRET']\nconfig.reset_password_within = 6.hours\nconfig.pepper = Rails.application.credentials.pepper\n`,
  ),
  file(
    'opt/ex/prod.exs',
    () => `secret_key_base = System.get_env("SECRET_KEY_BASE") || raise "SECRET_KEY_BASE is missing"\n`,
  ),
  file(
    'opt/cs/Program.cs',
    () =>
      `var password = builder.Configuration["Database:Password"];\n[DataType(DataType.Password)] public string Password { get; set; }\n`,
  ),
  file(
    'opt/kt/Api.kt',
    () => `private const val KEY_ALIAS = "com.acme.app.keystore.alias1"\nval apiKey = BuildConfig.MAPS_API_KEY\n`,
  ),
  file(
    'opt/swift/Keys.swift',
    () => `let tokenKey = "com.acme.session.token"\nkeychain[string: "password"] = password\n`,
  ),
  file(
    'opt/elk/logstash.conf',
    () => `password => "\${ES_PASSWORD}"\nfilter { grok { match => { "message" => "token=%{DATA:token} " } } }\n`,
  ),
  file(
    'etc/security/pwquality.conf',
    () => `minlen = 12\ndictcheck = 1\n# password must not contain user name\nusercheck = 1\n`,
  ),
  file('etc/default/useradd', () => `# PASS_MAX_DAYS 99999\nINACTIVE=-1\nSHELL=/bin/sh\n`),
  file('etc/login.defs', () => `PASS_MAX_DAYS\t99999\nPASS_MIN_DAYS\t0\nPASS_WARN_AGE\t7\nENCRYPT_METHOD YESCRYPT\n`),
  file('etc/mosquitto/passwd', v => `sensor:$7$101$${v.base64(12)}$${v.base64(64)}\n`),
  file(
    'opt/log/boot.log',
    v =>
      `INFO listening id=${v.uuid()}\nDEBUG dsn mysql://***:***@db:3306/shop\nDEBUG session key rotated, kid=${v.hex(16)}\n`,
  ),
  file(
    'opt/web/robots.txt',
    () => `User-agent: *\nDisallow: /password-reset/\nDisallow: /api-keys/\nSitemap: https://acme.io/sitemap.xml\n`,
  ),
  file(
    'opt/web/feed.xml',
    v =>
      `<guid isPermaLink="false">${v.uuid()}</guid><link>https://acme.io/p?id=${v.digits(12)}&amp;utm_token=news</link>\n`,
  ),
  file(
    'opt/ml/tokenizer_config.json',
    () =>
      `{"bos_token": "<s>", "unk_token": "<unk>", "tokenizer_class": "LlamaTokenizerFast", "model_max_length": 131072}\n`,
  ),
  file(
    'opt/db/migrate.sql',
    () =>
      `ALTER TABLE users ADD COLUMN password_digest CHAR(60);\nCREATE INDEX idx_token_2024 ON sessions (token);\nGRANT ALL ON shop.* TO 'web'@'%' IDENTIFIED BY '$WEB_PASSWORD';\n`,
  ),
  setting('env', 'third kid', v => `SIGNING_KEY_ID=${v.uuid()}`),
  setting('env', 'third version', () => `SECRETS_OPERATOR_VERSION=v1.14.2-alpine3`),
  setting('env', 'third path', () => `TOKEN=/var/run/secrets/kubernetes.io/serviceaccount/token`),
  setting('label', 'third ref', v => `io.acme.build.url=https://ci.acme.io/job/x/${v.digits(5)}?token=none`),
  setting(
    'history',
    'third key',
    v =>
      `RUN /bin/sh -c curl -fsSL https://acme.io/key.asc | gpg --dearmor && apt-key adv --recv ${v.upperHex(16)} # buildkit`,
  ),
  setting(
    'history',
    'third read',
    () =>
      `RUN /bin/sh -c export TOKEN=$(cat /run/secrets/token) && curl -u "ci:$TOKEN" https://repo.acme.io # buildkit`,
  ),
  member(
    'opt/bak/site.tgz',
    'site/config/parameters.yml.dist',
    () => `parameters:\n  mailer_password: ~\n  secret: ThisTokenIsNotSoSecretChangeIt\n`,
  ),
]
