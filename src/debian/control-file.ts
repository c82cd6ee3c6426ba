/** One paragraph of a control file: field names in lower case → values; continuation lines keep their line ends. */
export type ControlParagraph = ReadonlyMap<string, string>

/**
 * Parses one paragraph (deb822(5)): `Name: value`, lines that begin with a blank continue the value, `#` lines are comments
 * where `comments` says so. Lines of another form are ignored, as in dpkg's own files none exist. A repeated field's last
 * value counts.
 */
export function parseParagraph(text: string, comments = false): ControlParagraph {
  const fields = new Map<string, string>()
  let name: string | undefined
  for (const line of text.split('\n')) {
    if (comments && line.startsWith('#')) continue
    const first = line.charCodeAt(0)
    if ((first === 32 || first === 9) && name !== undefined) {
      fields.set(name, `${fields.get(name)}\n${line}`)
      continue
    }
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    name = line.slice(0, colon).toLowerCase()
    fields.set(name, line.slice(colon + 1).trim())
  }
  return fields
}

/** All paragraphs of a text, separated by blank lines. */
export function parseParagraphs(text: string, comments = false): readonly ControlParagraph[] {
  return text
    .replaceAll('\r\n', '\n')
    .split(/\n(?:[ \t]*\n)+/)
    .map(part => parseParagraph(part, comments))
    .filter(paragraph => paragraph.size > 0)
}
