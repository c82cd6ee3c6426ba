import { UserError } from '#diagnostics'
import { readSmallContent } from '#layer'
import { lookup, type Tree } from '#tree'

/** A tree whose entries know where their contents are. */
export type TreeFiles = Pick<Tree, 'get'>

/** Who a command runs as (section 11.3 of the language page). */
export interface Account {
  readonly uid: number
  readonly gid: number
  /** Supplementary groups. */
  readonly groups: readonly number[]
  /** Home directory, `/` when unknown. */
  readonly home: string
}

interface PasswdLine {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

interface GroupLine {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
}

/**
 * `name|uid[:name|gid]` → ids, by the image's /etc/passwd and /etc/group: the primary group and all supplementary ones
 * of a user alone, just the one group with an explicit group; a number need not exist. Throws a `UserError` for an
 * unknown name.
 */
export function findAccount(tree: TreeFiles, user: string): Account {
  const [name = '', group] = (user === '' ? '0' : user).split(':', 2)
  const passwd = readPasswd(tree)
  const number = parseId(name)
  const line =
    passwd.find(row => row.name === name) ?? (number === undefined ? undefined : passwd.find(row => row.uid === number))
  if (!line && number === undefined)
    throw unknown(
      'user',
      name,
      passwd.map(row => row.name),
    )
  const uid = line?.uid ?? number ?? 0
  const home = line?.home || '/'
  if (group !== undefined && group !== '') return { uid, gid: findGroup(tree, group), groups: [], home }
  const groups = line
    ? readGroup(tree)
        .filter(row => row.members.includes(line.name))
        .map(row => row.gid)
    : []
  return { uid, gid: line?.gid ?? 0, groups, home }
}

/**
 * `--chown`: `user[:group]` → ids. A user's name alone gives its primary group, a number alone the same number as group
 * (section 12.13). Throws a `UserError` for an unknown name.
 */
export function findOwner(tree: TreeFiles, owner: string): { readonly uid: number; readonly gid: number } {
  const [user = '', group] = owner.split(':', 2)
  const number = parseId(user)
  const passwd = number === undefined ? readPasswd(tree) : []
  const line = passwd.find(row => row.name === user)
  if (number === undefined && !line && user !== '')
    throw unknown(
      'user',
      user,
      passwd.map(row => row.name),
    )
  const uid = number ?? line?.uid ?? 0
  if (group !== undefined && group !== '') return { uid, gid: findGroup(tree, group) }
  return { uid, gid: number ?? line?.gid ?? 0 }
}

function findGroup(tree: TreeFiles, group: string): number {
  const rows = readGroup(tree)
  const line = rows.find(row => row.name === group)
  const number = parseId(group)
  if (!line && number === undefined)
    throw unknown(
      'group',
      group,
      rows.map(row => row.name),
    )
  return line?.gid ?? number ?? 0
}

function unknown(kind: 'user' | 'group', name: string, known: readonly string[]): UserError {
  const file = kind === 'user' ? '/etc/passwd' : '/etc/group'
  const list = known.slice(0, 20).join(', ')
  return new UserError(`unknown ${kind} "${name}": it is not in the image's ${file}`, {
    hint:
      known.length === 0
        ? `the image has no ${file}: use numbers, such as 1000:1000`
        : `create it in an earlier RUN, use a number, or one of: ${list}`,
  })
}

/** Ids are 32 bits; 4294967295 means "no id" to the kernel. */
function parseId(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined
  const id = Number(text)
  return id < 4294967295 ? id : undefined
}

function readPasswd(tree: TreeFiles): PasswdLine[] {
  return rowsOf(tree, 'etc/passwd').flatMap(([name = '', , uid = '', gid = '', , home = '']) => {
    const [u, g] = [parseId(uid), parseId(gid)]
    return u === undefined || g === undefined ? [] : [{ name, uid: u, gid: g, home }]
  })
}

function readGroup(tree: TreeFiles): GroupLine[] {
  return rowsOf(tree, 'etc/group').flatMap(([name = '', , gid = '', members = '']) => {
    const id = parseId(gid)
    return id === undefined ? [] : [{ name, gid: id, members: members.split(',').filter(Boolean) }]
  })
}

function rowsOf(tree: TreeFiles, path: string): string[][] {
  const { entry } = lookup(tree, path)
  if (entry?.type !== 'file') return []
  const text = readSmallContent(entry).toString('utf8')
  return text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => line.split(':'))
}
