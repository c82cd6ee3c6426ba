import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar } from 'yaml'
import { nearest, type Place, type Source, UserError } from '#diagnostics'

/** A value of a YAML text with its place. */
export interface YamlValue {
  readonly at: Place
  /** Text of a scalar as written: `1.10` stays `1.10`. Throws for null, lists and mappings. */
  text(): string
  boolean(): boolean
  /** Items of a list. */
  items(): readonly YamlValue[]
  /** A list, or a single value as a list of one. */
  itemsOrOne(): readonly YamlValue[]
  /** Entries of a mapping with any keys. */
  entries(): readonly YamlEntry[]
  /** A mapping with keys of `known` only. */
  fields<K extends string>(known: readonly K[]): Readonly<Partial<Record<K, YamlValue>>>
  /** An error at this place. */
  error(message: string, hint: string): UserError
}

export interface YamlEntry {
  readonly key: string
  readonly at: Place
  readonly value: YamlValue
}

/** Parses a YAML 1.2 text of one document. Every error is a `UserError` with its place. */
export function readYaml(source: Source): YamlValue {
  const document = parseDocument(source.text, { prettyErrors: false, lineCounter: new LineCounter(), version: '1.2' })
  const [problem] = document.errors
  if (problem) {
    const [start, first] = problem.pos
    const end = Math.max(first, start + (/^[\w-]*/.exec(source.text.slice(start))?.[0].length ?? 0))
    throw new UserError(`invalid YAML: ${problem.message.replace(/\.$/, '')}`, {
      hint: 'indentation and quotes are what goes wrong most often',
      at: { source, span: { start, end: Math.max(end, start + 1) } },
    })
  }
  return valueOf(source, document.contents, { source, span: { start: 0, end: 0 } })
}

function placeOf(source: Source, node: unknown, fallback: Place): Place {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return fallback
  const [start, end] = node.range as unknown as readonly [number, number]
  const text = source.text.slice(start, end).trimEnd()
  return { source, span: { start, end: start + Math.max(1, text.length) } }
}

function valueOf(source: Source, node: Node | null | undefined, fallback: Place): YamlValue {
  const at = placeOf(source, node, fallback)
  const error = (message: string, hint: string): UserError => new UserError(message, { hint, at })
  if (isAlias(node)) throw error('aliases are not supported', 'write the value itself')
  const wrap = (child: unknown): YamlValue => valueOf(source, child as Node | null, at)
  const items = (): readonly YamlValue[] => {
    if (!isSeq(node)) throw error('a list is needed here', 'write [one, two], or one item a line after "- "')
    return node.items.map(wrap)
  }
  const entries = (): readonly YamlEntry[] => {
    if (!isMap(node)) throw error('"name: value" lines are needed here', 'write one "name: value" a line')
    return node.items.map(pair => {
      const keyAt = placeOf(source, pair.key, at)
      if (!isScalar(pair.key)) throw new UserError('a name is needed here', { hint: 'write name: value', at: keyAt })
      return { key: scalarText(pair.key), at: keyAt, value: valueOf(source, pair.value as Node | null, keyAt) }
    })
  }
  return {
    at,
    error,
    items,
    entries,
    itemsOrOne: () => (isSeq(node) ? items() : [wrap(node)]),
    text() {
      if (isScalar(node) && node.value !== null) return scalarText(node)
      throw error('a text is needed here', 'write a single value')
    },
    boolean() {
      if (isScalar(node) && typeof node.value === 'boolean') return node.value
      throw error('true or false is needed here', 'write true or false')
    },
    fields<K extends string>(known: readonly K[]) {
      const found: Partial<Record<K, YamlValue>> = {}
      for (const { key, at: keyAt, value } of entries()) {
        const name = known.find(candidate => candidate === key)
        if (name === undefined) throw unknownKey(key, keyAt, known)
        found[name] = value
      }
      return found
    },
  }
}

function scalarText(node: Scalar): string {
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
}

function unknownKey(key: string, at: Place, known: readonly string[]): UserError {
  const near = nearest(key, known)
  return new UserError(`unknown key ${JSON.stringify(key)}`, {
    hint: near ? `did you mean ${near}?` : `known are ${known.join(', ')}`,
    at,
  })
}
