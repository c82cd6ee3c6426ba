import { usageError } from '../usage-error.ts'

/**
 * The fields of one CSV record (RFC 4180, as Docker reads option values): `"` quotes a field that contains a comma, `""`
 * inside is one quote. `option` names the option in errors. Throws a `UserError` (wrong usage).
 */
export function csvFields(text: string, option: string): string[] {
  const fields: string[] = []
  let at = 0
  for (;;) {
    const quoted = text[at] === '"'
    const form = quoted ? /"((?:[^"]|"")*)"(?=,|$)/sy : /[^",\n]*(?=,|$)/sy
    form.lastIndex = at
    const match = form.exec(text)
    if (!match) {
      throw usageError(
        `invalid value for ${option}: ${JSON.stringify(text)}`,
        'quote a field that contains a comma or a quote: "a,b" with the quote itself doubled',
      )
    }
    fields.push(quoted ? (match[1] ?? '').replaceAll('""', '"') : match[0])
    at = form.lastIndex
    if (at === text.length) return fields
    at++
  }
}
