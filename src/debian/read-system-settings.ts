import type {
  DirectorySpec,
  FileSpec,
  GroupSpec,
  LinkSpec,
  OwnerSpec,
  PathRule,
  SystemSettings,
  UserSpec,
} from './base-spec.ts'
import { nearest, UserError } from '#diagnostics'
import { pathClasses, pathRule, rulesOfClass } from './path-filter.ts'
import type { YamlValue } from './yaml-reader.ts'

/** Keys of a base file that say what is changed in the system. */
export const systemKeys = [
  'groups',
  'users',
  'directories',
  'files',
  'links',
  'alternatives',
  'timezone',
  'certificates',
] as const

export const groupKeys = ['name', 'gid'] as const
export const userKeys = ['name', 'uid', 'group', 'groups', 'home', 'shell', 'comment'] as const
export const directoryKeys = ['path', 'mode', 'owner'] as const
export const fileKeys = [...directoryKeys, 'content', 'source'] as const
export const linkKeys = ['path', 'target'] as const

type Fields = Readonly<Partial<Record<(typeof systemKeys)[number], YamlValue>>>

/** Reads users, files and the like. Throws a `UserError` with the place of what it does not understand. */
export function readSystemSettings(fields: Fields): SystemSettings {
  return {
    groups: fields.groups?.items().map(group) ?? [],
    users: fields.users?.items().map(user) ?? [],
    directories: fields.directories?.items().map(directory) ?? [],
    files: fields.files?.items().map(file) ?? [],
    links: fields.links?.items().map(link) ?? [],
    alternatives:
      fields.alternatives?.entries().map(({ key, at, value }) => {
        if (!/^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(key)) {
          throw new UserError(`${JSON.stringify(key)} is not the name of a program`, { hint: 'write name: /path', at })
        }
        return { name: key, target: `/${absolutePath(value)}`, at }
      }) ?? [],
    ...(fields.timezone && { timezone: { name: timezone(fields.timezone), at: fields.timezone.at } }),
    certificates: fields.certificates?.itemsOrOne().map(value => ({ path: value.text(), at: value.at })) ?? [],
  }
}

/** Reads `without`: names of classes first, in the order of their table, then patterns as they stand. */
export function readWithout(value: YamlValue): readonly PathRule[] {
  const items = value.itemsOrOne().map(item => ({ text: item.text(), item }))
  const named = new Set(items.map(({ text }) => text))
  const patterns = items.flatMap(({ text, item }) => (rulesOfClass(text) ? [] : [pattern(text, item)]))
  return [...pathClasses.filter(name => named.has(name)).flatMap(name => rulesOfClass(name) ?? []), ...patterns]
}

function pattern(text: string, item: YamlValue): PathRule {
  const rule = pathRule(text)
  if (rule.pattern.startsWith('/') && !/[\n\0]/.test(text)) return rule
  const near = nearest(text, pathClasses)
  throw item.error(
    `${JSON.stringify(text)} is neither a class of paths nor a pattern`,
    near ? `did you mean ${near}?` : `classes are ${pathClasses.join(', ')}; patterns start with /, or with !/ to keep`,
  )
}

const accountName = /^[a-z_][a-z0-9_.-]{0,31}$/

function name(value: YamlValue | undefined, whole: YamlValue, what: string): string {
  if (value === undefined) throw whole.error(`this ${what} has no name`, 'add "name: …"')
  const text = value.text()
  if (accountName.test(text)) return text
  throw value.error(`${JSON.stringify(text)} is not the name of a ${what}`, 'write lower-case letters, digits, - and _')
}

function id(value: YamlValue): number {
  const text = value.text()
  if (/^\d{1,10}$/.test(text) && Number(text) < 0xffff_ffff) return Number(text)
  throw value.error(`${JSON.stringify(text)} is not an id`, 'write a number below 4294967295')
}

function group(value: YamlValue): GroupSpec {
  const fields = value.fields(groupKeys)
  return { name: name(fields.name, value, 'group'), ...(fields.gid && { gid: id(fields.gid) }), at: value.at }
}

function user(value: YamlValue): UserSpec {
  const fields = value.fields(userKeys)
  const line = (field: YamlValue): string => {
    const text = field.text()
    if (!/[:\n\0]/.test(text)) return text
    throw field.error('colons and line breaks cannot be part of this', 'remove them')
  }
  return {
    name: name(fields.name, value, 'user'),
    ...(fields.uid && { uid: id(fields.uid) }),
    ...(fields.group && { group: line(fields.group) }),
    groups: fields.groups?.itemsOrOne().map(line) ?? [],
    ...(fields.home && { home: `/${absolutePath(fields.home)}` }),
    ...(fields.shell && { shell: `/${absolutePath(fields.shell)}` }),
    ...(fields.comment && { comment: line(fields.comment) }),
    at: value.at,
  }
}

/** An absolute path without its leading slash and without what would leave the root. */
function absolutePath(value: YamlValue): string {
  const text = value.text()
  const parts = text.split('/').filter(part => part !== '' && part !== '.')
  if (text.startsWith('/') && parts.length > 0 && !parts.includes('..') && !/[\0\n:]/.test(text)) return parts.join('/')
  throw value.error(`${JSON.stringify(text)} is not a path in the image`, 'write an absolute path without ..')
}

function mode(value: YamlValue | undefined, usual: number): number {
  if (value === undefined) return usual
  const text = value.text()
  if (/^(0|0o)?[0-7]{3,4}$/.test(text)) return Number.parseInt(text.replace('0o', ''), 8)
  throw value.error(`${JSON.stringify(text)} is not a mode`, 'write three or four octal digits, such as 0755')
}

function owner(value: YamlValue): OwnerSpec {
  const text = value.text()
  if (/^[A-Za-z0-9._][A-Za-z0-9._-]*(:[A-Za-z0-9._][A-Za-z0-9._-]*)?$/.test(text)) return { text, at: value.at }
  throw value.error(`${JSON.stringify(text)} is not an owner`, 'write user, user:group, or numbers')
}

function placed(
  fields: Readonly<Partial<Record<(typeof directoryKeys)[number], YamlValue>>>,
  value: YamlValue,
  usual: number,
): DirectorySpec {
  if (!fields.path) throw value.error('a path is needed here', 'add "path: /…"')
  return {
    path: absolutePath(fields.path),
    mode: mode(fields.mode, usual),
    ...(fields.owner && { owner: owner(fields.owner) }),
    at: fields.path.at,
  }
}

function directory(value: YamlValue): DirectorySpec {
  return placed(value.fields(directoryKeys), value, 0o755)
}

function file(value: YamlValue): FileSpec {
  const fields = value.fields(fileKeys)
  const { content, source } = fields
  if (content && source) throw source.error('a file has content or a source, not both', 'remove one of them')
  if (content) return { ...placed(fields, value, 0o644), content: { kind: 'text', text: content.text() } }
  if (source) return { ...placed(fields, value, 0o644), content: { kind: 'source', path: source.text() } }
  throw value.error('this file has no content', 'add "content: …" or "source: PATH"')
}

function link(value: YamlValue): LinkSpec {
  const { path, target } = value.fields(linkKeys)
  if (!path || !target) throw value.error('a link needs a path and a target', 'write "path: /…" and "target: …"')
  const text = target.text()
  if (text === '' || text.includes('\0')) throw target.error('a target is needed here', 'write a path')
  return { path: absolutePath(path), target: text, at: path.at }
}

function timezone(value: YamlValue): string {
  const text = value.text()
  if (/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/.test(text)) return text
  throw value.error(`${JSON.stringify(text)} is not a time zone`, 'write one as in /usr/share/zoneinfo: Europe/Berlin')
}
