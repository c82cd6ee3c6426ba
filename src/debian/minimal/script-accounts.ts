import { type Accounts, noShell, systemIds, userIds } from '../accounts.ts'
import type { ReadPackage } from '../read-packages.ts'
import { publicDirectory, type RootFiles } from '../root-files.ts'
import { scriptCommands } from './script-commands.ts'

const programs = new Set(['adduser', 'addgroup', 'useradd', 'groupadd'])

/**
 * Adds the users and groups that packages' scripts would add with `adduser`, `addgroup`, `useradd` and `groupadd`, in the order of
 * the packages. Gives their names.
 */
export function addScriptAccounts(
  accounts: Accounts,
  files: RootFiles,
  packages: readonly ReadPackage[],
): readonly string[] {
  const added: string[] = []
  for (const { deb, record } of packages) {
    for (const script of ['preinst', 'postinst']) {
      const text = deb.control.get(script)?.bytes.toString('utf8') ?? ''
      if (!/\b(adduser|addgroup|useradd|groupadd)\b/.test(text)) continue
      for (const words of scriptCommands(text, programs)) {
        const name = addAccount(accounts, files, { words, owner: record.name })
        if (name !== undefined) added.push(name)
      }
    }
  }
  return [...new Set(added)]
}

/** Options that take a value, in both spellings of each program. */
const valued = new Set([
  'home',
  'home-dir',
  'shell',
  'ingroup',
  'gid',
  'uid',
  'gecos',
  'comment',
  'groups',
  'firstuid',
  'lastuid',
  'firstgid',
  'lastgid',
  'conf',
  'add_extra_groups',
  'base-dir',
  'skel',
  'key',
  'password',
  'expiredate',
  'inactive',
])
const short: Readonly<Record<string, string>> = {
  d: 'home',
  s: 'shell',
  g: 'gid',
  u: 'uid',
  c: 'comment',
  G: 'groups',
  r: 'system',
  M: 'no-create-home',
  m: 'create-home',
  U: 'group',
  N: 'no-user-group',
  o: 'non-unique',
  f: 'force',
  K: 'key',
  b: 'base-dir',
  p: 'password',
  q: 'quiet',
}

interface Call {
  readonly options: ReadonlyMap<string, string>
  readonly names: readonly string[]
}

function parseCall(words: readonly string[]): Call {
  const options = new Map<string, string>()
  const names: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string
    const long = /^--([a-z_-]+)(?:=(.*))?$/.exec(word)
    const option = long ? (long[1] ?? '') : /^-[A-Za-z]$/.test(word) ? short[word.slice(1)] : undefined
    if (option === undefined) {
      if (!word.startsWith('-')) names.push(word)
    } else if (long?.[2] !== undefined) options.set(option, long[2])
    else options.set(option, valued.has(option) ? (words[++i] ?? '') : '')
  }
  return { options, names }
}

const form = /^[a-z_][a-z0-9_.-]{0,31}$/i

function addAccount(
  accounts: Accounts,
  files: RootFiles,
  { words, owner }: { readonly words: readonly string[]; readonly owner: string },
): string | undefined {
  const [program = '', ...rest] = words
  const { options, names } = parseCall(rest)
  const [name, into] = names
  if (name === undefined || !form.test(name)) return undefined
  const isGroup = /(addgroup|groupadd)$/.test(program) || (options.has('group') && !options.has('system'))
  const range = options.has('system') ? systemIds : userIds
  const number = (option: string): number | undefined =>
    /^\d{1,9}$/.test(options.get(option) ?? '') ? Number(options.get(option)) : undefined
  if (!isGroup && into !== undefined) {
    if (accounts.user(name)) accounts.join(name, into)
    return undefined
  }
  if (isGroup) {
    if (accounts.groupId(name) !== undefined) return undefined
    const gid = number('gid')
    accounts.addGroup({ name, range, ...(gid !== undefined && { gid }) })
    return name
  }
  if (accounts.user(name)) return undefined
  const uid = number('uid')
  const entry = accounts.addUser({
    name,
    gid: primaryGroup(accounts, name, { options, range, isUseradd: program.endsWith('useradd') }),
    comment: (options.get('gecos') ?? options.get('comment') ?? '').replace(/,+$/, ''),
    home: options.get('home') ?? options.get('home-dir') ?? (options.has('system') ? '/nonexistent' : `/home/${name}`),
    shell: options.get('shell') ?? noShell,
    range,
    ...(uid !== undefined && { uid }),
  })
  const isMade = !options.has('no-create-home') && (program.endsWith('adduser') || options.has('create-home'))
  const home = entry.home.slice(1)
  if (isMade && entry.home.startsWith('/') && entry.home !== '/nonexistent' && files.found(home) === 'nothing') {
    files.makeDirectory(home, { ...publicDirectory, uid: entry.uid, gid: entry.gid, package: owner })
  }
  return name
}

/** `nogroup` is the group of system users without one (adduser(8)). */
function primaryGroup(
  accounts: Accounts,
  name: string,
  {
    options,
    range,
    isUseradd,
  }: {
    readonly options: ReadonlyMap<string, string>
    readonly range: typeof systemIds
    readonly isUseradd: boolean
  },
): number {
  const given = options.get('ingroup') ?? options.get('gid')
  if (given !== undefined) return accounts.groupId(given) ?? (/^\d{1,9}$/.test(given) ? Number(given) : 65_534)
  const isOwn = options.has('group') || !options.has('system') || isUseradd
  return isOwn ? accounts.addGroup({ name, range }) : (accounts.groupId('nogroup') ?? 65_534)
}
