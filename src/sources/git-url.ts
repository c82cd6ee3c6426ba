import { nearest, UserError } from '#diagnostics'
import { cleanPath } from '#tree'

/** What a git address asks for. */
export interface GitSource {
  /** As `git` takes it, without user and password. */
  readonly remote: string
  /** `user:password` of the address. */
  readonly credentials?: string
  /** Branch, tag, full name or whole commit id; absent: the default branch. */
  readonly ref?: string
  /** Clean; the whole repository when absent. */
  readonly subdir?: string
  /** The commit must begin with it: hexadecimal. */
  readonly checksum?: string
  readonly keepGitDir: boolean
  readonly submodules: boolean
  /** Times of the files: of the commit, so that equal commits give equal files, or of now. */
  readonly mtime: 'commit' | 'checkout'
  /** Asks for the commit that the checksum names, and not what the ref is. */
  readonly fetchByCommit: boolean
}

const keys = [
  'ref',
  'branch',
  'tag',
  'subdir',
  'checksum',
  'commit',
  'keep-git-dir',
  'submodules',
  'mtime',
  'fetch-by-commit',
]

/**
 * Reads a git address (12.21): `REMOTE#ref:subdir` or `REMOTE?ref=…&subdir=…`. Throws a `UserError` for an unknown key
 * and for two different refs. Which protocols may be used is decided where `git` runs.
 */
export function parseGitUrl(text: string): GitSource {
  const [base, fragment] = cut(text, '#')
  const [address, query] = cut(base, '?')
  // eslint-disable-next-line no-control-regex
  if (/[\0-\x20\x7f]/.test(address) || address.startsWith('-')) {
    throw new UserError(`invalid git address ${JSON.stringify(text)}`, { hint: 'write https://host/path.git#ref' })
  }
  const values = queryValues(query ?? '')
  const [fragmentRef, fragmentDirectory] = cut(fragment ?? '', ':')
  const subdir = one('subdir', [values.get('subdir'), fragmentDirectory])
  const ref = one('ref', [
    values.get('ref'),
    named('refs/heads/', values.get('branch')),
    named('refs/tags/', values.get('tag')),
    fragmentRef,
  ])
  const checksum = one('checksum', [values.get('checksum'), values.get('commit')])
  if (checksum !== undefined && !/^[0-9a-f]{7,64}$/.test(checksum)) {
    throw new UserError(`invalid commit id ${JSON.stringify(checksum)}`, { hint: 'write hexadecimal digits' })
  }
  if (ref !== undefined && !isRef(ref)) {
    throw new UserError(`invalid git ref ${JSON.stringify(ref)}`, { hint: 'name a branch, a tag or a commit' })
  }
  const directory = cleanPath(subdir ?? '')
  const fetchByCommit = flag(values, 'fetch-by-commit', false)
  if (fetchByCommit && checksum?.length !== 40 && checksum?.length !== 64) {
    throw new UserError('fetch-by-commit needs the whole commit id', { hint: 'add checksum=COMMIT' })
  }
  return {
    ...withoutCredentials(address),
    ...(ref !== undefined && { ref }),
    ...(directory !== '' && { subdir: directory }),
    ...(checksum !== undefined && { checksum }),
    keepGitDir: flag(values, 'keep-git-dir', false),
    submodules: flag(values, 'submodules', true),
    mtime: mtimeOf(values.get('mtime')),
    fetchByCommit,
  }
}

/** git-check-ref-format(1), as far as a name from outside could mean something else to `git`. */
function isRef(ref: string): boolean {
  // eslint-disable-next-line no-control-regex
  return !ref.startsWith('-') && !/[\0-\x20\x7f~^:?*[\\]|\.\.|@\{/.test(ref)
}

function cut(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function queryValues(query: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const [key, value] of new URLSearchParams(query)) {
    if (!keys.includes(key)) {
      const near = nearest(key, keys)
      throw new UserError(`unknown key ${JSON.stringify(key)} in a git address`, {
        hint: near === undefined ? `the keys are ${keys.join(', ')}` : `did you mean ${near}?`,
      })
    }
    if (values.has(key)) {
      throw new UserError(`${key} is given twice in a git address`, { hint: 'remove one of them' })
    }
    values.set(key, value)
  }
  return values
}

function named(prefix: string, name: string | undefined): string | undefined {
  return name === undefined || name === '' || name.startsWith(prefix) ? name : `${prefix}${name}`
}

/** The one value of several ways to give it; empty ones do not count. */
function one(what: string, given: readonly (string | undefined)[]): string | undefined {
  const [first, second] = [...new Set(given.filter(value => value !== undefined && value !== ''))]
  if (second === undefined) return first
  throw new UserError(`a git address gives two values for ${what}: ${first} and ${second}`, {
    hint: 'remove one of them',
  })
}

function flag(values: ReadonlyMap<string, string>, key: string, otherwise: boolean): boolean {
  const text = values.get(key)
  if (text === undefined) return otherwise
  if (['', '1', 't', 'true', 'T', 'True', 'TRUE'].includes(text)) return true
  if (['0', 'f', 'false', 'F', 'False', 'FALSE'].includes(text)) return false
  throw new UserError(`invalid value ${JSON.stringify(text)} for ${key} in a git address`, {
    hint: 'write true or false',
  })
}

function mtimeOf(text: string | undefined): GitSource['mtime'] {
  if (text === undefined || text === 'commit') return 'commit'
  if (text === 'checkout') return 'checkout'
  throw new UserError(`invalid value ${JSON.stringify(text)} for mtime in a git address`, {
    hint: 'write commit or checkout',
  })
}

/** A password must get neither into messages nor into a kept `.git/config`. */
function withoutCredentials(address: string): Pick<GitSource, 'remote' | 'credentials'> {
  if (!/^https?:\/\/[^/]*@/.test(address) || !URL.canParse(address)) return { remote: address }
  const url = new URL(address)
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  url.username = ''
  url.password = ''
  return { remote: url.href, credentials }
}
