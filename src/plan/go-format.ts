const simple: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}

/** A text as Go's `%q` prints it: double quotes, escapes for what cannot be printed. */
export function goQuote(text: string): string {
  // Almost every text; the classes of Unicode below take milliseconds to get ready.
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`
  return `"${Array.from(text, quoteCharacter).join('')}"`
}

function quoteCharacter(character: string): string {
  const escape = simple[character]
  if (escape !== undefined) return escape
  if (character >= ' ' && character <= '~') return character
  if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)) return character
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code < 0x80) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

/** A list as `%q` prints it: `["a" "b"]`. */
export function goQuoteList(texts: readonly string[]): string {
  return `[${texts.map(goQuote).join(' ')}]`
}

/** A list as `%v` prints it: `[a b]`. */
export function goList(texts: readonly string[]): string {
  return `[${texts.join(' ')}]`
}
