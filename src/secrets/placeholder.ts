/** Shannon entropy in bits per character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

const longWords =
  /example|sample|placehold|change[-_. ]?(?:me|this|it)|replace|redacted|dummy|insert[-_]|goes[-_]?here|not[-_]?(?:a[-_]?)?(?:real|secret|valid)|deadbeef|cafebabe|abcdefg|0123456|1234567|7654321|x{5}|\*{3}|\.{3}|0{8}|1{8}|a{6}|(.)\1{7}/i

const shortWords =
  /^(?:your|my|the|some|an?|fake|test|todo|foo|bar|baz|none|null|undefined|true|false|secret|token|pass(?:word)?|default|value)(?:$|[-_. ])|(?:^|[-_. ])(?:here|fake|todo|foo|bar|xxx|tbd|fixme)$|^your/i

/** What is filled in later, wherever it stands in the value. */
const template =
  /\$\{|\$\([^)]*\)|\{\{|<[^<>]*>|%\(\w+\)|#\{|^\$[A-Za-z_]\w*$|^%\w+%?$|^@[\w.]+@?$|^&\w+$|^!\w|^\{.*\}$|^\[.*\]$/

/** Signs that a template begins with; a random value may do so, too. */
const sign = /^[$<%@&!]/

/** One word that says what belongs here: `repopwd`, `proxypass`. */
const nameOfIt = /^[a-z_-]{0,16}(?:pwd|passw(?:or)?d|passphrase|pass|secret|token)$/i

/** Whether a value only stands for a secret: an example, a template, a row of one character. */
export function isPlaceholder(value: string): boolean {
  return (
    longWords.test(value) ||
    shortWords.test(value) ||
    nameOfIt.test(value) ||
    template.test(value) ||
    (sign.test(value) && (value.length < 14 || !/\d/.test(value) || entropyOf(value) < 3.5)) ||
    new Set(value).size < 4
  )
}

/** The same for a value with a form of its own, whose random part may well look like a short word. */
export function isExampleToken(value: string): boolean {
  return longWords.test(value) || new Set(value.slice(-20)).size < 6
}
