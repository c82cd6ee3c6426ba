import { UserError, type Place } from '#diagnostics'
import type { GroupSpec, OwnerSpec, UserSpec } from './base-spec.ts'
import { publicFile, type RootFiles } from './root-files.ts'

/** A user as passwd(5) has it. */
export interface UserEntry {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly comment: string
  readonly home: string
  readonly shell: string
}

/** The users and groups of a system that is being made. */
export interface Accounts {
  user(name: string): UserEntry | undefined
  groupId(name: string): number | undefined
  /** Adds a group, or nothing where it is there already. */
  addGroup(group: NewGroup): number
  addUser(user: NewUser): UserEntry
  /** Adds a user to a group that exists. */
  join(user: string, group: string): void
  /** Changes the shells of users by what `change` gives for each. */
  changeShells(change: (shell: string) => string): void
  /** Writes passwd, group, and where they exist shadow and gshadow. */
  save(): void
}

/** Ids are taken from the first free one of a range where none is given. */
export interface NewGroup {
  readonly name: string
  readonly gid?: number
  readonly range: IdRange
}

export interface NewUser {
  readonly name: string
  readonly uid?: number
  readonly gid: number
  readonly comment: string
  readonly home: string
  readonly shell: string
  readonly range: IdRange
}

export type IdRange = readonly [first: number, last: number]

/** Debian policy, section 9.2.2. */
export const systemIds: IdRange = [100, 999]
export const userIds: IdRange = [1000, 59_999]

/** Programs that let nobody in; where a system has none, the path says the same. */
export const noShell = '/usr/sbin/nologin'

/** Reads the accounts of a system (passwd(5), group(5)). `day`: days since 1970 of changes of passwords. */
export function openAccounts(files: RootFiles, day: number): Accounts {
  const lines = (path: string): string[][] | undefined =>
    files
      .read(path)
      ?.toString('latin1')
      .split('\n')
      .filter(line => line !== '')
      .map(line => line.split(':'))
  const passwd = lines('etc/passwd') ?? []
  const group = lines('etc/group') ?? []
  const shadow = lines('etc/shadow')
  const gshadow = lines('etc/gshadow')

  const free = (given: number | undefined, taken: ReadonlySet<number>, range: IdRange): number => {
    if (given !== undefined) return given
    for (let id = range[0]; id <= range[1]; id++) if (!taken.has(id)) return id
    throw new UserError('there is no free id for another user or group', { hint: 'give it one with "uid:" or "gid:"' })
  }
  const ids = (table: readonly string[][]): ReadonlySet<number> => new Set(table.map(fields => Number(fields[2])))
  const user = (name: string): UserEntry | undefined => {
    const found = passwd.find(fields => fields[0] === name)
    if (found === undefined) return undefined
    const [, , uid, gid, comment = '', home = '', shell = ''] = found
    return { name, uid: Number(uid), gid: Number(gid), comment, home, shell }
  }
  const groupId = (name: string): number | undefined => {
    const found = group.find(fields => fields[0] === name)
    return found && Number(found[2])
  }
  return {
    user,
    groupId,
    addGroup({ name, gid, range }) {
      const known = groupId(name)
      if (known !== undefined) return known
      const id = free(gid, ids(group), range)
      group.push([name, 'x', String(id), ''])
      gshadow?.push([name, '!', '', ''])
      return id
    },
    addUser(entry) {
      const known = user(entry.name)
      if (known !== undefined) return known
      const taken = new Set([...ids(passwd), ...(entry.uid === undefined ? ids(group) : [])])
      taken.delete(entry.gid)
      const uid = free(entry.uid, taken, entry.range)
      const { name, gid, comment, home, shell } = entry
      passwd.push([name, shadow ? 'x' : '*', String(uid), String(gid), comment, home, shell])
      shadow?.push([name, '!', String(day), '0', '99999', '7', '', '', ''])
      return { name, uid, gid, comment, home, shell }
    },
    join(name, into) {
      for (const [table, position] of [
        [group, 3],
        [gshadow ?? [], 3],
      ] as const) {
        const fields = table.find(candidate => candidate[0] === into)
        if (fields === undefined) continue
        const members = (fields[position] ?? '').split(',').filter(member => member !== '')
        if (!members.includes(name)) fields[position] = [...members, name].join(',')
      }
    },
    changeShells(change) {
      for (const fields of passwd) fields[6] = change(fields[6] ?? '')
    },
    save() {
      const write = (path: string, table: readonly string[][] | undefined): void => {
        if (table === undefined) return
        files.write(path, Buffer.from(table.map(fields => `${fields.join(':')}\n`).join(''), 'latin1'), {
          ...publicFile,
          ...(path.endsWith('shadow') && { mode: 0o640, gid: groupId('shadow') ?? 0 }),
        })
      }
      write('etc/passwd', passwd)
      write('etc/group', group)
      write('etc/shadow', shadow)
      write('etc/gshadow', gshadow)
    },
  }
}

/** Adds the groups and users of a base file. Throws a `UserError` with the place of what does not fit. */
export function addAccounts(
  accounts: Accounts,
  { groups, users }: { readonly groups: readonly GroupSpec[]; readonly users: readonly UserSpec[] },
): void {
  for (const { name, gid, at } of groups) {
    const known = accounts.groupId(name)
    if (known !== undefined && gid !== undefined && known !== gid)
      throw taken(`the group ${name} has the id ${known}`, at)
    accounts.addGroup({ name, range: userIds, ...(gid !== undefined && { gid }) })
  }
  for (const spec of users) addUser(accounts, spec)
}

function addUser(accounts: Accounts, spec: UserSpec): void {
  const { name, uid, group, home = '/nonexistent', shell = noShell, comment = '', at } = spec
  const known = accounts.user(name)
  if (known !== undefined) throw taken(`the user ${name} is there already, with the id ${known.uid}`, at)
  const own = accounts.addUser({
    name,
    gid: group === undefined ? ownGroup(accounts, spec) : idOf(group, text => accounts.groupId(text), at),
    comment,
    home,
    shell,
    range: userIds,
    ...(uid !== undefined && { uid }),
  })
  for (const other of spec.groups) {
    if (accounts.groupId(other) === undefined) throw unknown(`there is no group ${other}`, at)
    accounts.join(own.name, other)
  }
}

/** A group of the user's name, with the user's id where that is given. */
function ownGroup(accounts: Accounts, { name, uid }: UserSpec): number {
  return accounts.addGroup({ name, range: userIds, ...(uid !== undefined && { gid: uid }) })
}

/** The ids that an owner stands for; without a group, the user's own. Throws a `UserError`. */
export function ownerIds(
  accounts: Accounts,
  owner: OwnerSpec | undefined,
): { readonly uid: number; readonly gid: number } {
  if (owner === undefined) return { uid: 0, gid: 0 }
  const [name = '', group] = owner.text.split(':')
  const user = accounts.user(name)
  const uid = idOf(name, () => user?.uid, owner.at)
  const gid = group === undefined ? (user?.gid ?? uid) : idOf(group, text => accounts.groupId(text), owner.at)
  return { uid, gid }
}

function idOf(text: string, find: (name: string) => number | undefined, at: Place): number {
  if (/^\d{1,10}$/.test(text)) return Number(text)
  const id = find(text)
  if (id === undefined) throw unknown(`there is no user or group ${text}`, at)
  return id
}

function taken(message: string, at: Place): UserError {
  return new UserError(message, { hint: 'remove it here, or choose another name or id', at })
}

function unknown(message: string, at: Place): UserError {
  return new UserError(message, { hint: 'add it under "users" or "groups"', at })
}
