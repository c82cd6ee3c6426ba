/** What a server wants to see (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** In lower case: `basic`, `bearer` … */
  readonly scheme: string
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>
}

const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const token68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y

/**
 * The challenges of a `WWW-Authenticate` header, of which several may be joined by commas, in their order. What cannot be
 * read ends the list.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: Challenge[] = []
  const reader = { text: header, at: 0 }
  for (;;) {
    skip(reader, /[\s,]*/y)
    const scheme = take(reader, token)
    if (scheme === undefined) return challenges
    skip(reader, /[ \t]*/y)
    const parameters = new Map<string, string>()
    challenges.push({ scheme: scheme.toLowerCase(), parameters })
    if (!nextIsParameter(reader)) take(reader, token68)
    else while (nextIsParameter(reader)) if (!readParameter(reader, parameters)) return challenges
  }
}

interface Reader {
  readonly text: string
  at: number
}

function take(reader: Reader, form: RegExp): string | undefined {
  form.lastIndex = reader.at
  const found = form.exec(reader.text)?.[0]
  if (found !== undefined) reader.at += found.length
  return found
}

function skip(reader: Reader, form: RegExp): void {
  take(reader, form)
}

/** `name = value` and not the name of the next scheme. */
function nextIsParameter(reader: Reader): boolean {
  const form = /[\s,]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*=[ \t]*(?:"|[^\s,="])/y
  form.lastIndex = reader.at
  return form.test(reader.text)
}

function readParameter(reader: Reader, parameters: Map<string, string>): boolean {
  skip(reader, /[\s,]*/y)
  const name = take(reader, token)
  skip(reader, /[ \t]*=[ \t]*/y)
  const quoted = take(reader, /"(?:[^"\\]|\\.)*"/y)
  const value = quoted === undefined ? take(reader, token) : quoted.slice(1, -1).replace(/\\(.)/g, '$1')
  if (name === undefined || value === undefined) return false
  if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value)
  return true
}
