const secretWords = new Set([
  'apikey',
  'auth',
  'credential',
  'credentials',
  'key',
  'password',
  'pword',
  'passwd',
  'secret',
  'token',
])
const harmlessWords = new Set(['public', 'file', 'version'])

/**
 * Whether a variable's name says that its value is a secret: one of its words (cut at `_`, in any case) does, and none
 * says that it is public, a file or a version. The rule of BuildKit's check SecretsUsedInArgOrEnv.
 */
export function isSecretName(name: string): boolean {
  const words = name.toLowerCase().split('_')
  return words.some(word => secretWords.has(word)) && !words.some(word => harmlessWords.has(word))
}
