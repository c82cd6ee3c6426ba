import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openHttp } from '#http'
import { readSmallContent } from '#layer'
import type { Digest } from '#oci'
import { openStore, type Store } from '#store'
import { gitBackend, hasGitBackend } from '../../test/git-backend.ts'
import { type LocalServer, openLocalServer } from '../../test/local-server.ts'
import { nameOfUrl, openRemote, parseGitUrl, type Remote, type RemoteOptions, type Selectable } from './index.ts'

const cleanups: (() => unknown)[] = []
let scratch = ''
let store: Store

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'slipway-remote-'))
  store = openStore(join(scratch, 'store'))
})

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  store[Symbol.dispose]()
  rmSync(scratch, { recursive: true, force: true })
})

/** A build's view of the world: a second call is a second build. */
function remote(options: Partial<RemoteOptions> & { readonly secrets?: Record<string, string> } = {}): Remote {
  const http = openHttp({ env: {}, retry: { attempts: 2, firstDelay: 5 } })
  cleanups.push(() => http[Symbol.asyncDispose]())
  return openRemote({
    store,
    http,
    secret: async id => {
      const value = options.secrets?.[id]
      return value === undefined ? undefined : Buffer.from(value)
    },
    environment: { PATH: process.env['PATH'] },
    signal: new AbortController().signal,
    ...options,
  })
}

async function serve(handler: RequestListener): Promise<LocalServer> {
  const server = await openLocalServer(handler)
  cleanups.push(server.close)
  return server
}

const sha256 = (text: string): Digest => `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest

describe('12.20 URLs', () => {
  const date = 'Wed, 21 Oct 2015 07:28:00 GMT'

  /** Answers 304 to whoever knows the ETag. */
  const file =
    (text: () => string, etag: () => string): RequestListener =>
    (request, response) => {
      const unchanged = request.headers['if-none-match'] === etag()
      response.writeHead(unchanged ? 304 : 200, { etag: etag(), 'last-modified': date })
      response.end(unchanged ? undefined : text())
    }

  test('a body becomes a blob, with the time of Last-Modified', async () => {
    const { url } = await serve(
      file(
        () => 'hello',
        () => '"1"',
      ),
    )
    const found = await remote().file(`${url}/a.txt`)
    expect(found).toEqual({
      digest: sha256('hello'),
      size: 5,
      path: store.blobs.path(sha256('hello')),
      modified: Date.parse(date) / 1000,
    })
    expect(existsSync(found.path)).toBe(true)
  })

  test('an unchanged body is not sent twice, a changed one is taken', async () => {
    let text = 'one'
    const sent: number[] = []
    const { url } = await serve((request, response) => {
      const etag = `"${text}"`
      const unchanged = request.headers['if-none-match'] === etag
      sent.push(unchanged ? 304 : 200)
      response.writeHead(unchanged ? 304 : 200, { etag }).end(unchanged ? undefined : text)
    })
    expect((await remote().file(`${url}/a`)).digest).toBe(sha256('one'))
    expect((await remote().file(`${url}/a`)).digest).toBe(sha256('one'))
    text = 'two'
    expect((await remote().file(`${url}/a`)).digest).toBe(sha256('two'))
    expect(sent).toEqual([200, 304, 200])
  })

  test('a body whose blob is gone is downloaded again', async () => {
    const { url, requests } = await serve(
      file(
        () => 'hello',
        () => '"1"',
      ),
    )
    await remote().file(`${url}/a`)
    await store.blobs.remove(sha256('hello'))
    expect((await remote().file(`${url}/a`)).size).toBe(5)
    expect(requests.map(request => request.headers['if-none-match'])).toEqual([undefined, undefined])
  })

  test('one build asks once', async () => {
    const { url, requests } = await serve(
      file(
        () => 'hello',
        () => '"1"',
      ),
    )
    const one = remote()
    await Promise.all([one.file(`${url}/a`), one.file(`${url}/a`)])
    expect(requests).toHaveLength(1)
  })

  test('with a known checksum nobody is asked again', async () => {
    const { url, requests } = await serve(
      file(
        () => 'hello',
        () => '"1"',
      ),
    )
    await remote().file(`${url}/a`, { checksum: sha256('hello') })
    await remote().file(`${url}/a`, { checksum: sha256('hello') })
    expect(requests).toHaveLength(1)
  })

  test('another checksum is an error that says what came', async () => {
    const { url } = await serve(
      file(
        () => 'evil',
        () => '"1"',
      ),
    )
    await expect(remote().file(`${url}/a`, { checksum: sha256('good') })).rejects.toThrow(sha256('evil'))
    // Also when it was known before.
    await expect(remote().file(`${url}/a`, { checksum: sha256('good') })).rejects.toThrow(sha256('evil'))
  })

  test.each([400, 404, 500])('status %i is an error', async status => {
    const { url } = await serve((_, response) => void response.writeHead(status).end())
    await expect(remote().file(`${url}/gone`)).rejects.toThrow(`answered ${status}`)
  })

  test('a broken connection goes on where it ended', async () => {
    const body = 'x'.repeat(100_000)
    const { url, requests } = await serve((request, response) => {
      const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
      response.writeHead(from > 0 ? 206 : 200, {
        etag: '"1"',
        'content-length': body.length - from,
        ...(from > 0 && { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` }),
      })
      if (from > 0) response.end(body.slice(from))
      else response.write(body.slice(0, 40_000), () => setTimeout(() => response.destroy(), 20))
    })
    expect((await remote().file(`${url}/a`)).digest).toBe(sha256(body))
    expect(requests).toHaveLength(2)
  })

  test.each([
    [(host: string) => `HTTP_AUTH_TOKEN_${host}`, 'tok', 'Bearer tok'],
    [(host: string) => `HTTP_AUTH_HEADER_${host}`, 'Basic abc\n', 'Basic abc'],
    [() => 'HTTP_AUTH_TOKEN_127.0.0.1', 'tok', 'Bearer tok'],
    [() => 'HTTP_AUTH_TOKEN_example.com', 'tok', undefined],
  ])('secrets by host: %#', async (id, value, expected) => {
    const { url, requests } = await serve((_, response) => void response.end('x'))
    await remote({ secrets: { [id(new URL(url).host)]: value } }).file(`${url}/a`)
    expect(requests[0]?.headers.authorization).toBe(expected)
  })

  test('a token does not follow a redirect to another host', async () => {
    const other = await serve((_, response) => void response.end('x'))
    const { url } = await serve((_, response) => void response.writeHead(302, { location: `${other.url}/b` }).end())
    await remote({ secrets: { [`HTTP_AUTH_TOKEN_${new URL(url).host}`]: 'tok' } }).file(`${url}/a`)
    expect(other.requests.map(request => request.headers.authorization)).toEqual([undefined])
  })

  test.each([
    ['http://h/dir/file.txt?x=1', 'file.txt'],
    ['http://h/a%20b', 'a b'],
    ['http://h/', '__unnamed__'],
    ['http://h/dir/', 'dir'],
    ['http://h/..%2f..', '__unnamed__'],
    ['http://h/a%2fb', 'b'],
    ['http://h/%zz', '%zz'],
  ])('%s is called %s', (url, name) => {
    expect(nameOfUrl(url)).toBe(name)
  })
})

describe('12.21 git addresses', () => {
  const plain = { keepGitDir: false, submodules: true, mtime: 'commit', fetchByCommit: false }
  const id = 'a'.repeat(40)

  test.each([
    ['https://h/r.git', { remote: 'https://h/r.git' }],
    ['https://h/r.git#v1:sub/dir', { remote: 'https://h/r.git', ref: 'v1', subdir: 'sub/dir' }],
    ['https://h/r.git#:sub', { remote: 'https://h/r.git', subdir: 'sub' }],
    ['git@h:o/r.git#main', { remote: 'git@h:o/r.git', ref: 'main' }],
    ['https://h/r.git?tag=v1&subdir=/a/../b/', { remote: 'https://h/r.git', ref: 'refs/tags/v1', subdir: 'b' }],
    ['https://h/r.git?branch=x', { remote: 'https://h/r.git', ref: 'refs/heads/x' }],
    ['https://h/r.git?ref=x&commit=abcdef1', { remote: 'https://h/r.git', ref: 'x', checksum: 'abcdef1' }],
    ['https://h/r.git?keep-git-dir&submodules=0', { remote: 'https://h/r.git', keepGitDir: true, submodules: false }],
    ['https://h/r.git?mtime=checkout', { remote: 'https://h/r.git', mtime: 'checkout' }],
    [
      `https://h/r.git?checksum=${id}&fetch-by-commit=1`,
      { remote: 'https://h/r.git', checksum: id, fetchByCommit: true },
    ],
    ['https://u:p%40@h/r.git', { remote: 'https://h/r.git', credentials: 'u:p@' }],
  ])('%s', (text, expected) => {
    expect(parseGitUrl(text)).toEqual({ ...plain, ...expected })
  })

  test.each([
    ['https://h/r.git?rev=1', /unknown key "rev"/],
    ['https://h/r.git?tag=a&branch=b', /two values for ref/],
    ['https://h/r.git?ref=a#b', /two values for ref/],
    ['https://h/r.git?ref=a&ref=a', /given twice/],
    ['https://h/r.git#--upload-pack=x', /invalid git ref/],
    ['https://h/r.git#a..b', /invalid git ref/],
    ['https://h/r.git?submodules=maybe', /invalid value "maybe"/],
    ['https://h/r.git?mtime=now', /invalid value "now"/],
    ['https://h/r.git?checksum=xyz', /invalid commit id/],
    ['https://h/r.git?fetch-by-commit=true', /whole commit id/],
    ['--upload-pack=x', /invalid git address/],
  ])('%s is refused', (text, message) => {
    expect(() => parseGitUrl(text)).toThrow(message)
  })
})

const hasGit = spawn('git', ['--version'], { stdio: 'ignore' }).pid !== undefined

describe.skipIf(!hasGit)('12.21 git repositories (needs git)', () => {
  const local = { protocols: ['file'] }
  const env = {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ALLOW_PROTOCOL: 'file',
    GIT_AUTHOR_NAME: 'A',
    GIT_AUTHOR_EMAIL: 'a@b',
    GIT_COMMITTER_NAME: 'A',
    GIT_COMMITTER_EMAIL: 'a@b',
    GIT_AUTHOR_DATE: '1500000000 +0000',
    GIT_COMMITTER_DATE: '1500000000 +0000',
  }
  const git = (directory: string, ...args: string[]): string =>
    execFileSync('git', args, { cwd: directory, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()

  /** A repository with a commit, a tag and a branch `other`. */
  function repository(name = 'repo'): { readonly path: string; readonly url: string; readonly commit: string } {
    const path = join(scratch, name)
    mkdirSync(join(path, 'sub'), { recursive: true })
    git(path, 'init', '-q', '-b', 'main')
    writeFileSync(join(path, 'file'), 'one')
    writeFileSync(join(path, 'sub', 'run.sh'), '#!/bin/sh\n', { mode: 0o700 })
    symlinkSync('file', join(path, 'link'))
    git(path, 'add', '.')
    git(path, 'commit', '-q', '-m', 'one')
    git(path, 'tag', '-a', '-m', 'first', 'v1')
    const commit = git(path, 'rev-parse', 'HEAD')
    git(path, 'checkout', '-q', '-b', 'other')
    writeFileSync(join(path, 'file'), 'other')
    git(path, 'commit', '-q', '-a', '-m', 'other')
    git(path, 'checkout', '-q', 'main')
    return { path, url: `file://${path}`, commit }
  }

  const content = (tree: Selectable, path: string): string => {
    const entry = tree.get(path)
    if (!entry) throw new Error(`${path} is not there`)
    return readSmallContent(entry).toString()
  }
  const opened = async (address: string, options: Parameters<typeof remote>[0] = local): Promise<Selectable> =>
    (await remote(options).git(parseGitUrl(address))).open()

  test('files are 0644 or 0755 of root with the time of the commit, .git is dropped', async () => {
    const tree = await opened(repository().url)
    expect(tree.list('')).toEqual(['file', 'link', 'sub'])
    const mtime = { seconds: 1_500_000_000, nanoseconds: 0 }
    expect(tree.get('file')).toMatchObject({ mode: 0o644, uid: 0, gid: 0, mtime, size: 3 })
    expect(tree.get('sub')).toMatchObject({ mode: 0o755, mtime })
    expect(tree.get('sub/run.sh')).toMatchObject({ mode: 0o755, mtime })
    expect(tree.get('link')).toMatchObject({ type: 'symlink', link: 'file' })
  })

  test.each([
    ['', 'one'],
    ['#main', 'one'],
    ['#other', 'other'],
    ['#v1', 'one'],
    ['#refs/tags/v1', 'one'],
    ['?branch=other', 'other'],
    ['?tag=v1', 'one'],
  ])('%s is the commit it names', async (suffix, expected) => {
    expect(content(await opened(`${repository().url}${suffix}`), 'file')).toBe(expected)
  })

  test('a branch counts before a tag of the same name', async () => {
    const { path, url } = repository()
    git(path, 'tag', 'other', 'main')
    expect(content(await opened(`${url}#other`), 'file')).toBe('other')
    expect(content(await opened(`${url}?tag=other`), 'file')).toBe('one')
  })

  test('a whole commit id, also one that no branch has as its tip', async () => {
    const { path, url, commit } = repository()
    git(path, 'commit', '-q', '--allow-empty', '-m', 'two')
    git(path, 'commit', '-q', '--allow-empty', '-m', 'three')
    git(path, 'tag', '-d', 'v1')
    expect(content(await opened(`${url}#${commit}`), 'file')).toBe('one')
    expect(content(await opened(`${url}?checksum=${commit}&fetch-by-commit=1`), 'file')).toBe('one')
  })

  test('a known commit is not fetched again, and a moved branch is noticed', async () => {
    const { path, url, commit } = repository()
    const first = await remote(local).git(parseGitUrl(url))
    expect(first.identity).toMatchObject({ commit })
    writeFileSync(join(path, 'file'), 'two')
    git(path, 'commit', '-q', '-a', '-m', 'two')
    const second = await remote(local).git(parseGitUrl(url))
    expect(second.identity['commit']).not.toBe(commit)
    expect(content(await second.open(), 'file')).toBe('two')
    rmSync(path, { recursive: true })
    expect(content(await opened(`${url}#${commit}`), 'file')).toBe('one')
  })

  test('a sub-directory is the root of the tree; a link leads nowhere outside', async () => {
    const { path, url } = repository()
    symlinkSync('/etc', join(path, 'out'))
    git(path, 'add', '.')
    git(path, 'commit', '-q', '-m', 'out')
    expect((await opened(`${url}#:sub`)).list('')).toEqual(['run.sh'])
    await expect(opened(`${url}#:nothing`)).rejects.toThrow('has no directory "nothing"')
    await expect(opened(`${url}#:file`)).rejects.toThrow('has no directory "file"')
    await expect(opened(`${url}#:out`)).rejects.toThrow('has no directory "out"')
  })

  test('a checksum is the commit, its beginning, or the tag; anything else is an error', async () => {
    const { path, url, commit } = repository()
    const tag = git(path, 'rev-parse', 'v1')
    for (const checksum of [commit, commit.slice(0, 12)]) await opened(`${url}?checksum=${checksum}`)
    await opened(`${url}?tag=v1&checksum=${tag}`)
    await expect(opened(`${url}?checksum=${'0'.repeat(40)}`)).rejects.toThrow(`is at commit ${commit}`)
  })

  test('a name that is not there', async () => {
    const { url, commit } = repository()
    await expect(opened(`${url}#nothing`)).rejects.toThrow('no branch, tag or commit "nothing"')
    await expect(opened(`${url}#${commit.slice(0, 8)}`)).rejects.toMatchObject({ hint: 'give the whole commit id' })
  })

  test('--keep-git-dir keeps a repository that works, without a path of this machine', async () => {
    const { url, commit } = repository()
    const tree = await opened(`${url}?keep-git-dir=1&tag=v1`)
    const copy = join(scratch, 'copy')
    const write = (path: string): void => {
      const entry = tree.get(path)
      if (entry?.type === 'directory') {
        mkdirSync(join(copy, path))
        for (const name of tree.list(path)) write(path === '' ? name : `${path}/${name}`)
      } else if (entry?.type === 'file') writeFileSync(join(copy, path), readSmallContent(entry), { mode: entry.mode })
      else if (entry?.type === 'symlink') symlinkSync(entry.link ?? '', join(copy, path))
    }
    write('')
    expect(git(copy, 'rev-parse', 'HEAD')).toBe(commit)
    expect(git(copy, 'status', '--porcelain')).toBe('')
    expect(git(copy, 'describe')).toBe('v1')
    expect(git(copy, 'config', 'remote.origin.url')).toBe(url)
    const store = join(scratch, 'store')
    expect(() => execFileSync('grep', ['-r', '-F', store, join(copy, '.git')], { stdio: 'pipe' })).toThrow()
  })

  describe('submodules', () => {
    function withSubmodule(address?: string): { readonly url: string } {
      const inner = repository('inner')
      const outer = repository('outer')
      git(outer.path, 'submodule', '--quiet', 'add', inner.url, 'module')
      if (address !== undefined) git(outer.path, 'config', '-f', '.gitmodules', 'submodule.module.url', address)
      git(outer.path, 'add', '.')
      git(outer.path, 'commit', '-q', '-m', 'module')
      return outer
    }

    test('are checked out, without their .git', async () => {
      const tree = await opened(withSubmodule().url)
      expect(content(tree, 'module/file')).toBe('one')
      expect(tree.list('module')).toEqual(['file', 'link', 'sub'])
    })

    test('relative addresses start at the remote', async () => {
      expect(content(await opened(withSubmodule('../inner').url), 'module/file')).toBe('one')
    })

    test('submodules=false leaves them out', async () => {
      expect((await opened(`${withSubmodule().url}?submodules=false`)).list('module')).toEqual([])
    })

    test('cannot reach programs of this machine', async () => {
      const mark = join(scratch, 'mark')
      const { url } = withSubmodule(`ext::sh -c touch% ${mark}`)
      await expect(opened(url)).rejects.toThrow(/not allowed|failed/)
      expect(existsSync(mark)).toBe(false)
    })
  })

  test.each(['file:///etc', 'ext::sh -c id', '/etc'])('%s is no address of a repository', async address => {
    await expect(opened(address, {})).rejects.toThrow(/cannot come over|needs an ssh agent|invalid git address/)
  })

  test('hooks, templates and settings of this machine are not used', async () => {
    const home = join(scratch, 'home')
    const mark = join(scratch, 'mark')
    mkdirSync(join(home, 'hooks'), { recursive: true })
    writeFileSync(join(home, 'hooks', 'post-checkout'), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 })
    writeFileSync(join(home, '.gitconfig'), `[core]\n  hooksPath = ${home}/hooks\n[init]\n  templateDir = ${home}\n`)
    const environment = {
      PATH: process.env['PATH'],
      HOME: home,
      XDG_CONFIG_HOME: home,
      GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
      GIT_DIR: home,
      GIT_TEMPLATE_DIR: home,
    }
    await opened(`${repository().url}?keep-git-dir=1`, { ...local, environment })
    expect(existsSync(mark)).toBe(false)
  })

  describe.skipIf(!hasGitBackend)('over http (needs git-http-backend)', () => {
    test('a repository is fetched, with no more than the commit', async () => {
      const { path } = repository('r.git')
      for (let i = 0; i < 5; i++) git(path, 'commit', '-q', '--allow-empty', '-m', `more ${i}`)
      const { url } = await serve(gitBackend(scratch))
      const tree = await opened(`${url}/r.git/.git`, {})
      expect(content(tree, 'file')).toBe('one')
      const bares = execFileSync('sh', [
        '-c',
        `for d in ${store.root}/git/*/; do git -C $d rev-list --all | wc -l; done`,
      ])
      expect(bares.toString().trim()).toBe('1')
    })

    test('GIT_AUTH_TOKEN and credentials of the address are sent to their host', async () => {
      repository('r.git')
      const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
      const token = await serve(gitBackend(scratch, basic('x-access-token:tok')))
      const address = `${token.url}/r.git/.git`
      expect(content(await opened(address, { secrets: { GIT_AUTH_TOKEN: 'tok' } }), 'file')).toBe('one')
      const other = await serve(gitBackend(scratch, basic('u:p')))
      const withUser = `${other.url}/r.git/.git`.replace('//', '//u:p@')
      const tree = await opened(`${withUser}?keep-git-dir=1`, {})
      expect(content(tree, '.git/config')).not.toContain('u:p')
    })

    test('a private repository is an error at once, without a question', async () => {
      repository('r.git')
      const { url } = await serve(gitBackend(scratch, 'Basic nobody'))
      await expect(opened(`${url}/r.git/.git`, {})).rejects.toMatchObject({
        hint: expect.stringContaining('GIT_AUTH_TOKEN') as string,
      })
    })
  })

  test('two processes that make the same repository at once do no harm', async () => {
    const { url } = repository()
    const trees = await Promise.all([opened(url), opened(url), opened(`${url}#other`)])
    expect(trees.map(tree => content(tree, 'file'))).toEqual(['one', 'one', 'other'])
    expect(statSync(join(store.root, 'git')).isDirectory()).toBe(true)
  })
})
