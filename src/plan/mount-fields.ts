import { type Source, UserError } from '#diagnostics'
import { type MappedText, placeOf, sliceText, type Word } from '#dockerfile'

/** One `key=value` or bare key of a `--mount` flag. */
export interface MountField {
  /** In lower case. */
  readonly key: string
  readonly value?: MappedText
  readonly field: MappedText
}

/** Splits a `--mount` value as one CSV record (RFC 4180) into its fields. Throws a `UserError`. */
export function mountFields(mount: Word, source: Source): readonly MountField[] {
  return csvFields(mount, source).map(field => {
    const equals = field.text.indexOf('=')
    if (equals === -1) return { key: field.text.toLowerCase(), field }
    return { key: field.text.slice(0, equals).toLowerCase(), value: sliceText(field, equals + 1), field }
  })
}

function csvFields(mount: MappedText, source: Source): readonly MappedText[] {
  const fields: MappedText[] = []
  let at = 0
  while (at <= mount.text.length) {
    const quoted = /"((?:[^"]|"")*)"(?=,|$)/y
    quoted.lastIndex = at
    const match = quoted.exec(mount.text)
    const comma = mount.text.indexOf(',', at)
    const end = match ? at + match[0].length : comma === -1 ? mount.text.length : comma
    const raw = sliceText(mount, at, end)
    if (!match && raw.text.includes('"')) {
      throw new UserError('a quote in --mount is not closed', {
        hint: 'put the whole field into double quotes, or none of it',
        at: placeOf(source, mount),
      })
    }
    fields.push(match ? { ...sliceText(mount, at + 1, end - 1), text: (match[1] ?? '').replaceAll('""', '"') } : raw)
    at = end + 1
  }
  return fields
}
