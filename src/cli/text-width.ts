import { stripVTControlCharacters } from 'node:util'
import truncatedWidth from 'fast-string-truncated-width'

/** Terminal columns that `text` (one line without control characters) takes: wide characters count two. */
export function textWidth(text: string): number {
  return truncatedWidth(text).width
}

/** The text cut to `columns` columns; what is cut off shows as `…`. */
export function fitText(text: string, columns: number): string {
  if (columns <= 0) return ''
  const cut = truncatedWidth(text, { limit: columns, ellipsis: '…', ellipsisWidth: 1 })
  return cut.truncated ? `${text.slice(0, cut.index)}…` : text
}

/** The end of the text, of at most `columns` columns; what is cut off in front shows as `…`. */
export function fitEnd(text: string, columns: number): string {
  if (columns <= 0 || textWidth(text) <= columns) return columns <= 0 ? '' : text
  const characters = Array.from(text)
  let start = characters.length
  for (let left = columns - 1; start > 0; start--) {
    left -= textWidth(characters[start - 1] ?? '')
    if (left < 0) break
  }
  return `…${characters.slice(start).join('')}`
}

/** The text followed by spaces up to `columns` columns. */
export function padText(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - textWidth(text)))
}

/** Lines of at most `columns` columns, broken at spaces; a word that is longer stays whole. */
export function wrapText(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > columns) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** C0, DEL, C1, and what turns the writing direction: none of it is text, and each can fake what a line says. */
const steering = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/** Text from outside (a Dockerfile, an image, a package) as one line that cannot steer the terminal. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text).replace(/\s+/gu, ' ').replace(steering, '')
}
