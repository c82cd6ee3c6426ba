import { file, member, type Sample } from './sample.ts'

const PRIVATE = 'PRIVATE' + ' KEY'
const parts = (...texts: string[]): string => texts.join('')

/** What speaks of secrets and has none: placeholders, references, templates, programs, documentation. */
export const harmlessTexts: readonly Sample[] = [
  file(
    'srv/doc/aws.md',
    () =>
      `aws_access_key_id = ${parts('AKIA', 'IOSFODNN7', 'EXAMPLE')}\naws_secret_access_key = ${parts('wJalrXUtnFEMI', '/K7MDENG/', 'bPxRfiCYEXAMPLEKEY')}\n`,
  ),
  file('srv/doc/github.md', () => `export GITHUB_TOKEN=${parts('ghp_', 'x'.repeat(36))}\n`),
  file(
    'srv/doc/slack.md',
    () => `curl ${parts('https://hooks.slack', '.com/services/T00000000/B00000000/', 'X'.repeat(24))}\n`,
  ),
  file(
    'srv/doc/jwt.md',
    () =>
      `Authorization: Bearer ${parts('eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9', '.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ', '.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c')}\n`,
  ),
  file('srv/doc/openai.md', () => `OPENAI_API_KEY=sk-...\nANTHROPIC_API_KEY=sk-ant-your-key-here\n`),
  file(
    'srv/doc/url.md',
    () =>
      `postgres://user:password@localhost:5432/mydb\nmysql://username:secret@host/dbname\nhttps://<user>:<token>@git.acme.io/x.git\n`,
  ),
  file('srv/doc/key.md', () => `-----BEGIN RSA ${PRIVATE}-----\n...\n-----END RSA ${PRIVATE}-----\n`),
  file('srv/doc/key2.md', () => `-----BEGIN ${PRIVATE}-----\n<your private key here>\n-----END ${PRIVATE}-----\n`),
  file(
    'srv/doc/npmrc.md',
    () => `//registry.npmjs.org/:_authToken=\${NPM_TOKEN}\n//npm.acme.io/:_authToken=YOUR_TOKEN_HERE\n`,
  ),
  file(
    'srv/doc/sas.md',
    () => `https://acct.blob.core.windows.net/c?sv=2022-11-02&sig=<signature>\n...&X-Amz-Signature=<hex>\n`,
  ),
  file(
    'srv/web/.env.example',
    () => `DB_PASSWORD=changeme\nSECRET_KEY=your-secret-key\nAPI_TOKEN=\nMAIL_PASSWORD=null\n`,
  ),
  file(
    'srv/web/.env.tpl',
    () => `DB_PASSWORD=\${DB_PASSWORD}\nTOKEN=$TOKEN\nKEY={{ api_key }}\nPASS=%PASS%\nPW=@DB_PW@\nS=#{secret}\n`,
  ),
  file(
    'srv/web/.env.masked',
    () => `DB_PASSWORD=********\nSECRET_KEY=<redacted>\nAPI_TOKEN=REDACTED\nOTHER_TOKEN=xxxxxxxxxxxxxxxx\n`,
  ),
  file('root/.npmrc2/.npmrc', () => `//npm.acme.io/:_authToken=\${NPM_TOKEN}\n`),
  file('home/ci/.netrc', () => `machine git.acme.io login ci password $GIT_PASSWORD\n`),
  file(
    'home/ci/.docker/config.json',
    () => `{"auths":{"registry.acme.io":{}},"credsStore":"pass","credHelpers":{"gcr.io":"gcloud"}}\n`,
  ),
  file(
    'home/ci/.gitconfig',
    () => `[credential]\n\thelper = store\n[url "git@github.com:"]\n\tinsteadOf = https://github.com/\n`,
  ),
  file('home/ci/.pypirc', () => `[pypi]\nusername = __token__\npassword = \n`),
  file('home/ci/.pgpass.sample', () => `#hostname:port:database:username:password\n*:*:*:postgres:PASSWORD\n`),
  file(
    'srv/k8s/ref.yaml',
    () =>
      `env:\n- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: postgres-credentials\n      key: password\n`,
  ),
  file('srv/k8s/ingress.yaml', () => `tls:\n- secretName: wildcard-acme-io-tls\n  hosts: [acme.io]\n`),
  file(
    'srv/compose/secrets.yml',
    () =>
      `environment:\n  POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password\nsecrets:\n  postgres_password:\n    file: ./postgres_password.txt\n`,
  ),
  file(
    'srv/ci/workflow.yml',
    () =>
      `env:\n  TOKEN: \${{ secrets.DEPLOY_TOKEN }}\n  GITHUB_TOKEN: \${{ github.token }}\nwith:\n  password: \${{ secrets.REGISTRY_PASSWORD }}\n`,
  ),
  file(
    'srv/ci/cache.yml',
    () =>
      `- restore_cache:\n    key: deps-v1-{{ checksum "package-lock.json" }}\n- run: echo "$PASSWORD" | docker login --password-stdin\n`,
  ),
  file(
    'srv/cfn.yaml',
    () =>
      `MasterUserPassword: !Ref DBPassword\nOther: '{{resolve:secretsmanager:MyRDSSecret:SecretString:password}}'\nNoEcho: true\n`,
  ),
  file(
    'srv/tf/vars.tf',
    () =>
      `variable "db_password" {\n  type      = string\n  sensitive = true\n}\nlocals { token = var.api_token, secret = data.vault_generic_secret.db.data["password"] }\n`,
  ),
  file(
    'srv/refs.yaml',
    () =>
      `password: vault:secret/data/orders#password\ntoken: op://infra/github/token\nkey: arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-AbCdEf\nclientSecret: "@Microsoft.KeyVault(SecretUri=https://acme.vault.azure.net/secrets/cs/)"\n`,
  ),
  file(
    'srv/gcp.yaml',
    () => `apiKey: projects/123456789/secrets/api-key/versions/latest\npasswordParameter: /prod/orders/db-password\n`,
  ),
  file(
    'srv/helm/values.yaml',
    () =>
      `auth:\n  existingSecret: orders-db\n  password: ""\n  tokenKey: api-token\n  secretKeys: {adminPasswordKey: postgres-password}\n`,
  ),
  file(
    'srv/helm/templates/db.yaml',
    () => `password: {{ .Values.auth.password | b64enc | quote }}\ntoken: {{ randAlphaNum 32 }}\n`,
  ),
  file(
    'srv/ansible/play.yml',
    () =>
      `- user:\n    password: "{{ vault_admin_password | password_hash('sha512') }}"\n    update_password: on_create\n`,
  ),
  file(
    'srv/erb/database.yml',
    () =>
      `password: <%= ENV.fetch("DATABASE_PASSWORD") %>\nsecret_key_base: <%= Rails.application.credentials.secret_key_base %>\n`,
  ),
  file(
    'srv/py/auth.py',
    () =>
      `def login(self, username: str, password: str) -> None:\n    self.password = password\n    token = request.headers.get("X-Auth-Token")\n    secret = os.environ["APP_SECRET"]\n    api_key = settings.API_KEY\n    pw = getpass.getpass("Password: ")\n`,
  ),
  file(
    'srv/py/hash.py',
    () =>
      `password_hasher = "django.contrib.auth.hashers.Argon2PasswordHasher"\nSECRET_FILE = "/run/secrets/app"\nTOKEN_URL = "https://login.acme.io/oauth2/token"\nPASSWORD_RESET_TIMEOUT = 259200\n`,
  ),
  file(
    'srv/py/ml.py',
    () =>
      `tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")\neos_token = "<|endoftext|>"\nmax_tokens = 4096\npad_token_id = 50256\n`,
  ),
  file(
    'srv/ts/types.ts',
    () =>
      `interface Credentials { username: string; password: string; token?: string; apiKey: string | undefined }\nexport const ACCESS_TOKEN_KEY = 'access_token';\nconst password = process.env.DB_PASSWORD ?? '';\n`,
  ),
  file(
    'srv/ts/form.tsx',
    () =>
      `<input type="password" name="password" placeholder="Enter your password" autoComplete="current-password" />\n<label htmlFor="password">{t('login.password.label')}</label>\n`,
  ),
  file(
    'srv/ts/schema.ts',
    () => `const schema = Joi.object({ password: Joi.string().min(12).required(), secret: z.string().uuid() });\n`,
  ),
  file(
    'srv/ts/i18n.json',
    () =>
      `{"password": "Passwort vergessen?", "token": "Sitzung abgelaufen", "secret": "Geheime Antwort", "apiKey": "API-Schlüssel eingeben"}\n`,
  ),
  file(
    'srv/java/Auth.java',
    () =>
      `String password = request.getParameter("password");\nprivate final TokenService tokenService;\nlog.info("password={}", mask(password));\nspec.setPassword(config.getPassword());\n`,
  ),
  file(
    'srv/java/messages.properties',
    () =>
      `login.password=Please enter your password\nerror.token.expired=Your session token has expired\nsecret.question=What was the name of your first pet?\n`,
  ),
  file(
    'srv/java/app.properties',
    () =>
      `db.password=\${DB_PASSWORD:}\nkeystore.password=\${env.KEYSTORE_PW}\nsecurity.token.header=X-Auth-Token\njwt.secret=@jwt.secret@\n`,
  ),
  file(
    'srv/php/login.php',
    () =>
      `<?php\n$password = $_POST['password'];\n$token = bin2hex(random_bytes(32));\n$secret = getenv('APP_SECRET');\n$hash = password_hash($password, PASSWORD_BCRYPT);\n`,
  ),
  file(
    'srv/ruby/app.rb',
    () =>
      `password: ENV.fetch("DB_PASSWORD"), token: params[:token]\nhas_secure_password\nsecret = Rails.application.secret_key_base\n`,
  ),
  file(
    'srv/go/main.go',
    () =>
      `password := os.Getenv("DB_PASSWORD")\ntype Token struct { AccessToken string \`json:"access_token"\` }\nconst tokenHeader = "X-Vault-Token"\nif !bytes.Contains(data, []byte("-----BEGIN RSA ${PRIVATE}-----")) {\n`,
  ),
  file(
    'srv/c/lexer.c',
    () =>
      `#define TOKEN_IDENTIFIER 258\n#define TOKEN_STRING_LITERAL 259\nstatic const char *password_prompt = "Password: ";\nchar secret[SECRET_LEN];\n`,
  ),
  file(
    'srv/c/keys.c',
    () =>
      `#define PEM_STRING_PKCS8 "${PRIVATE}"\n#define PEM_STRING_RSA "RSA ${PRIVATE}"\nstatic const char begin[] = "-----BEGIN OPENSSH ${PRIVATE}-----\\n";\n`,
  ),
  file(
    'srv/sh/setup.sh',
    () =>
      `PASSWORD="\${1:-}"\nread -rs TOKEN\nexport API_KEY="$(cat /run/secrets/api_key)"\nSECRET=$(openssl rand -hex 32)\nmysql -u root -p"$MYSQL_ROOT_PASSWORD" < init.sql\n`,
  ),
  file(
    'srv/sh/curl.sh',
    () => `curl -H "Authorization: Bearer $TOKEN" -u "$USER:$PASS" https://\${USER}:\${PASS}@git.acme.io/x\n`,
  ),
  file(
    'srv/sh/usage.txt',
    () =>
      `  --password=PASSWORD      password of the user\n  --token <token>          API token (env: APP_TOKEN)\n  --secret-file FILE       read the secret from FILE\n`,
  ),
  file('srv/mk/Makefile', () => `TOKEN ?= $(shell cat .token)\npush:\n\t@docker login -u $(USER) -p $(PASSWORD)\n`),
  file(
    'srv/ps/deploy.ps1',
    () => `$password = Read-Host -AsSecureString\n$token = $env:API_TOKEN\n$secret = Get-Secret -Name Orders\n`,
  ),
  file('srv/perl/x.pl', () => `my $password = shift || prompt('Password:');\nmy $token = $cgi->param('token');\n`),
  file(
    'srv/sql/schema.sql',
    () =>
      `CREATE TABLE users (password VARCHAR(255) NOT NULL, token CHAR(64), api_key_id INTEGER);\nSELECT password FROM users WHERE token = $1;\nALTER USER app WITH PASSWORD :'pw';\n`,
  ),
  file(
    'srv/api/openapi.yaml',
    () =>
      `properties:\n  password:\n    type: string\n    format: password\n    minLength: 12\nsecuritySchemes:\n  apiKey: {type: apiKey, name: X-API-Key, in: header}\n`,
  ),
  file(
    'srv/api/example.json',
    () => `{"username": "string", "password": "string", "token": "string", "secret": "my-secret"}\n`,
  ),
  file(
    'srv/log/app.log',
    () => `INFO token refreshed for user 12\nWARN password=[FILTERED] token=[FILTERED]\nERROR invalid api key: ***\n`,
  ),
  file(
    'etc/pam.d/common-password',
    () => `password [success=1 default=ignore] pam_unix.so obscure yescrypt\npassword requisite pam_deny.so\n`,
  ),
  file(
    'etc/ssh/sshd_config',
    () => `PasswordAuthentication no\nHostKey /etc/ssh/ssh_host_ed25519_key\nAuthorizedKeysFile .ssh/authorized_keys\n`,
  ),
  file('etc/passwd', () => `root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n`),
  file('etc/nsswitch.conf', () => `passwd: files systemd\nshadow: files\nnetgroup: nis\n`),
  file(
    'etc/nginx/tls.conf',
    () =>
      `ssl_certificate /etc/nginx/tls/site.crt;\nssl_certificate_key /etc/nginx/tls/site.key;\nssl_password_file /etc/nginx/tls/pass;\nproxy_set_header Authorization $http_authorization;\n`,
  ),
  file('etc/redis/redis.default.conf', () => `# requirepass foobared\n# masterauth <master-password>\n`),
  file(
    'etc/ssl/openssl.cnf',
    () =>
      `default_keyfile = privkey.pem\n# input_password = secret\n# output_password = secret\nchallengePassword = A challenge password\nchallengePassword_min = 4\n`,
  ),
  file(
    'usr/share/man/man1/curl.1',
    () =>
      `.IP "-u, --user <user:password>"\nSpecify the user name and password to use for server authentication.\n.IP "--oauth2-bearer <token>"\n`,
  ),
  file(
    'usr/share/vim/syntax/conf.vim',
    () => `syn keyword confKey password passwd secret token api_key\nhi def link confKey Keyword\n`,
  ),
  file(
    'srv/rules/gitleaks.toml',
    () =>
      `[[rules]]\nid = "github-pat"\nregex = '''ghp_[0-9a-zA-Z]{36}'''\nkeywords = ["ghp_"]\n[[rules]]\nregex = '''(?i)(api_key|secret)\\s*=\\s*['"][0-9a-f]{32}['"]'''\n`,
  ),
  file(
    'srv/keyboard.json',
    () =>
      `{"key": "ArrowLeft", "keys": ["Enter", "Escape"], "primaryKey": "id", "foreignKey": "customer_id", "partitionKey": "tenant#region"}\n`,
  ),
  file('srv/css/form.css', () => `.password-input,.token-list{color:#a1b2c3}#secret:focus{outline:0}\n`),
  file('srv/words.txt', () => `password\n123456\nqwerty\nletmein\ntoken\nsecret\n`),
  file(
    'srv/go/const.go',
    () =>
      `const (\n\tSecretTypeOpaque = "Opaque"\n\tSecretTypeServiceAccountToken = "kubernetes.io/service-account-token"\n\tPasswordCredentialType = "PasswordCredentials"\n)\n`,
  ),
  file(
    'srv/py/errors.py',
    () =>
      `INVALID_TOKEN = "invalid_token"\nPASSWORD_TOO_SHORT = "password_too_short"\nTOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"\nGRANT = "client_secret_post"\n`,
  ),
  file(
    'srv/x.xml',
    () =>
      `<bean><property name="password" value="\${db.password}"/><property name="passwordEncoder" ref="bcryptPasswordEncoder"/></bean>\n`,
  ),
  file(
    'root/.m2/settings-ci.xml',
    () =>
      `<server><id>releases</id><username>\${env.USER}</username><password>\${env.NEXUS_PASSWORD}</password></server>\n`,
  ),
  file('srv/maven-enc.xml', v => `<server><id>r</id><password>{${v.base64(48)}}</password></server>\n`),
  file(
    'srv/lang/de.po',
    () =>
      `msgid "Password:"\nmsgstr "Kennwort:"\nmsgid "secret key not available"\nmsgstr "Geheimer Schlüssel nicht verfügbar"\n`,
  ),
  file(
    'usr/bin/tool',
    () =>
      `\u007fELF\u0002\u0001\u0001\u0000\u0000-----BEGIN ${PRIVATE}-----\u0000-----END ${PRIVATE}-----\u0000password=%s\u0000token=\u0000Authorization: Bearer \u0000AKIA\u0000https://%s:%s@%s/\u0000`,
  ),
  member(
    'srv/lib/web.war',
    'WEB-INF/web.xml',
    () =>
      `<context-param><param-name>passwordParameter</param-name><param-value>j_password</param-value></context-param>\n`,
  ),
  member('srv/backup/templates.zip', 'env.example', () => `API_KEY=your_api_key_here\nDB_PASSWORD=<password>\n`),
  member(
    'var/cache/apt/archives/doc_1.0_all.deb',
    'usr/share/doc/x/README',
    () => `Set password=secret in the configuration, e.g. https://user:pass@host/path\n`,
  ),
]
