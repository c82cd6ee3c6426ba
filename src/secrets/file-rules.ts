import { decodesToPair } from './address-rules.ts'
import { entropyOf, isPlaceholder } from './placeholder.ts'
import type { Rule } from './rule.ts'

/** What is known by the file in which it stands. */
export const fileRules: readonly Rule[] = [
  {
    id: 'registry-auth',
    title: 'login of a registry',
    severity: 'high',
    anchors: ['"auth"', '"identitytoken"', '"registrytoken"'],
    fixed: false,
    pattern: /"(?<key>auth|identitytoken|registrytoken)"\s*:\s*"(?<value>[A-Za-z0-9+/_.=-]{8,4000})"/dg,
    judge: ({ value, groups }) =>
      groups['key'] === 'auth' ? decodesToPair(value) : value.length >= 20 && entropyOf(value) >= 3,
  },
  {
    id: 'npmrc',
    title: 'login of an npm registry',
    severity: 'high',
    anchors: ['_authToken', '_auth', '_password', 'npmAuthToken', 'npmAuthIdent'],
    fixed: false,
    paths: /(?:^|\/)(?:\.?npmrc|\.yarnrc(?:\.yml)?|[^/]*Dockerfile[^/]*|[^/]*\.(?:sh|ya?ml))$/i,
    pattern:
      /(?:_authToken|_auth|_password|npmAuthToken|npmAuthIdent)["']?\s*[=:]\s*["']?(?<value>[A-Za-z0-9+/_.=:-]{8,400})/dg,
    judge: ({ value }) => !isPlaceholder(value) && !/^\$|^%/.test(value) && entropyOf(value) >= 2.5,
  },
  {
    id: 'netrc',
    title: 'password in .netrc',
    severity: 'high',
    anchors: ['password', 'passwd'],
    fixed: false,
    paths: /(?:^|\/)[._]?netrc$|\.netrc$/i,
    pattern: /\b(?:password|passwd)\s+(?<value>\S{3,300})/dg,
    judge: ({ value }) => !isPlaceholder(value),
  },
  {
    id: 'pypirc',
    title: 'password in .pypirc',
    severity: 'high',
    anchors: ['password'],
    fixed: false,
    paths: /(?:^|\/)\.?pypirc$/i,
    pattern: /^\s*password\s*[:=]\s*(?<value>\S{3,300})/dgm,
    judge: ({ value }) => !isPlaceholder(value),
  },
  {
    id: 'client-password',
    title: 'password of a database client',
    severity: 'high',
    anchors: ['password'],
    fixed: false,
    paths:
      /(?:^|\/)(?:\.my\.cnf|my\.cnf|\.mylogin\.cnf|\.pgpass|client\.cnf|\.smbcredentials|smbcredentials|\.htpasswd|wgetrc|\.wgetrc|\.fetchmailrc|\.msmtprc|\.pip\/pip\.conf)$/i,
    pattern: /\b(?:http_|ftp_)?password\s*[:=\s]\s*["']?(?<value>[^\s"']{3,300})/dg,
    judge: ({ value }) => !isPlaceholder(value),
  },
  {
    id: 'pgpass',
    title: 'password in .pgpass',
    severity: 'high',
    anchors: [':5432:', ':5433:', ':*:*:', ':6432:'],
    fixed: false,
    paths: /(?:^|\/)\.?pgpass(?:\.conf)?$/i,
    pattern: /^[^:\n#]+:[^:\n]+:[^:\n]+:[^:\n]+:(?<value>[^\s:]{3,200})\s*$/dgm,
    judge: ({ value }) => !isPlaceholder(value) && value !== '*',
  },
  {
    id: 'password-hash',
    title: 'password hash',
    severity: 'low',
    anchors: [
      ':$1$',
      ':$2a$',
      ':$2b$',
      ':$2y$',
      ':$5$',
      ':$6$',
      ':$7$',
      ':$y$',
      ':$gy$',
      ':$apr1$',
      ':{SHA}',
      ':{SSHA}',
    ],
    fixed: false,
    pattern:
      /(?<=^|\n)[A-Za-z0-9_.@-]{1,64}:(?<value>\$(?:1|5|6|apr1)\$[^\s:]{10,200}|\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}|\$(?:7|y|gy)\$[^\s:]{20,300}|\{S?SHA\}[A-Za-z0-9+/=]{20,})(?=[:\r\n]|$)/dg,
    judge: ({ path }) => (/(?:^|\/)etc\/(?:shadow|gshadow)-?$/.test(path) ? 'medium' : true),
  },
  {
    id: 'composer-auth',
    title: 'login for composer',
    severity: 'high',
    anchors: ['password', 'github.com', 'gitlab'],
    fixed: false,
    paths: /(?:^|\/)auth\.json$/i,
    pattern: /"(?:password|github\.com|gitlab\.com|gitlab-token)"\s*:\s*"(?<value>[^"\s]{8,200})"/dg,
    judge: ({ value }) => !isPlaceholder(value),
  },
  {
    id: 'maven-password',
    title: 'password in settings.xml',
    severity: 'high',
    anchors: ['<password>', '<passphrase>', 'ClearTextPassword'],
    fixed: false,
    paths: /(?:^|\/)(?:settings[^/]*\.xml|nuget\.config)$/i,
    pattern: /(?:<(?:password|passphrase)>|"ClearTextPassword"\s+value=")(?<value>[^<>"\s]{4,200})/dgi,
    // Braces: encrypted with the master password of Maven.
    judge: ({ value }) => !isPlaceholder(value) && !/^\{.*\}$/.test(value),
  },
  {
    id: 'credentials-file',
    title: 'token in a file of credentials',
    severity: 'high',
    anchors: ['token', 'rubygems_api_key', 'oauth'],
    fixed: false,
    paths:
      /(?:^|\/)(?:\.cargo\/credentials(?:\.toml)?|\.gem\/credentials|credentials\.tfrc\.json|\.config\/gh\/hosts\.yml|\.config\/hub|\.vault-token|\.terraformrc|\.kube\/config|[^/]*kubeconfig[^/]*|admin\.conf|var\/run\/secrets\/.*)$/i,
    pattern: /(?:oauth_token|token|rubygems_api_key)["']?\s*[:=]\s*["']?(?<value>[A-Za-z0-9_.+/=-]{16,4000})/dg,
    judge: ({ value }) => !isPlaceholder(value) && entropyOf(value) >= 3,
  },
]
