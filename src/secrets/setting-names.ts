/** Words that alone say: the value is secret. Lower case, also as the end of a word that somebody wrote together. */
const secretWord =
  /(?:passw(?:or)?d|passwd|passphrase|pwd|secret|token|credentials?|apikey|secretkey|accesskey|privatekey|authkey|appkey|authtok|bindpw)$/

/** `pass` alone, or behind what has one: not `bypass` or `compass`. */
const passWord =
  /^(?:|api|app|admin|auth|bind|db|ftp|git|http|imap|key|ldap|mail|my|proxy|redis|require|root|smtp|sql|ssh|store|sudo|user|wp)pass$/

/** What a key is called that opens something. */
const keyOf = new Set(
  'access account api app auth authorization client cookie crypt crypto deploy encrypt encryption fernet hmac jwt master private recovery secret service session shared signing storage unseal webhook'.split(
    ' ',
  ),
)

/** What a salt is called that is kept secret: those of PHP programs. */
const saltOf = new Set(['auth', 'hash', 'nonce', 'in', 'secret', 'password', 'session'])

/** What may follow: of which kind, or for where. */
const suffixes = new Set(
  'base value string data prod production staging dev test live default current old new primary secondary plain text'.split(
    ' ',
  ),
)

/** Words before it that make it something else: a place, a limit, a name, or a token of a language. */
const harmlessBefore = new Set(
  'public file path dir url uri host name type length size count max min expiration expiry expires ttl timeout limit header field param parameter label hint prompt policy regex pattern format algorithm encoding endpoint version enabled required csrf xsrf page next continuation cancel cancellation sort stop pad unk eos bos mask sep cls special syntax lexer parser prev previous last first cache partition primary foreign idempotency encrypted hashed update confirm verify'.split(
    ' ',
  ),
)

/** Whether the name of a setting says that its value is secret: `DB_PASSWORD`, `dbPassword`, `spring.mail.password`, `apiKeyProd`. */
export function namesSecret(name: string): boolean {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map(word => word.replace(/\d{1,2}$/, ''))
    .filter(word => word !== '')
  while (words.length > 1 && suffixes.has(words.at(-1) ?? '') && !isSecretEnd(words)) words.pop()
  return isSecretEnd(words)
}

function isSecretEnd(words: readonly string[]): boolean {
  const [before = '', last = ''] = [words.at(-2), words.at(-1)]
  if (harmlessBefore.has(before)) return false
  if (last === 'psk' || last === 'authtok' || last === 'masterauth' || (last === 'ident' && before === 'auth'))
    return true
  if (last === 'key' || last === 'keys') return keyOf.has(before) && !harmlessBefore.has(words.at(-3) ?? '')
  if (last === 'salt') return saltOf.has(before)
  if (last === 'auth' && words.length === 1) return true
  return secretWord.test(last) || passWord.test(last)
}
