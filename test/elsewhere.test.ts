import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { gitBackend, hasGitBackend } from './git-backend.ts'
import { hasTool } from './host.ts'
import { type LocalServer, openLocalServer } from './local-server.ts'
import { type Member, readArchive, writeArchive } from './oracle/tar-archive.ts'
import { type Ended, slipway, slipwayOk } from './slipway.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-elsewhere-'))
const cleanups: (() => unknown)[] = []
let folder = 0

beforeAll(() => mkdirSync(join(root, 'contexts')))
afterAll(() => rmSync(root, { recursive: true, force: true }))
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(handler: RequestListener): Promise<LocalServer> {
  const server = await openLocalServer(handler)
  cleanups.push(server.close)
  return server
}

/** Serves bodies by path, with Last-Modified and ETag. */
const bodies =
  (files: Readonly<Record<string, string | Buffer>>): RequestListener =>
  (request, response) => {
    const body = files[request.url ?? '']
    if (body === undefined) return void response.writeHead(404).end()
    const etag = `"${createHash('sha256').update(body).digest('hex')}"`
    const same = request.headers['if-none-match'] === etag
    response.writeHead(same ? 304 : 200, { etag, 'last-modified': 'Wed, 21 Oct 2015 07:28:00 GMT' })
    response.end(same ? undefined : body)
  }

const context = (files: Readonly<Record<string, string>>): string => {
  const directory = join(root, 'contexts', String(folder++))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, '..'), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  return directory
}

const file = (path: string, text: string, mode = 0o644): Member => ({
  path,
  kind: 'file',
  mode,
  uid: 12,
  gid: 34,
  mtime: 1_600_000_000,
  body: Buffer.from(text),
})

/** What a build makes, as `mode uid:gid mtime path content`. */
async function built(args: readonly string[], input: Buffer | string = ''): Promise<string[]> {
  const out = join(root, `out-${folder++}.tar`)
  await slipwayOk(['build', '-o', `type=tar,dest=${out}`, '--progress', 'plain', ...args], { root, input })
  return readArchive(readFileSync(out)).map(({ path, mode, uid, gid, mtime, kind, body }) =>
    kind === 'file'
      ? `${mode.toString(8)} ${uid}:${gid} ${mtime} ${path} ${body?.toString() ?? ''}`
      : `${mode.toString(8)} ${uid}:${gid} ${path}`,
  )
}

const failed = async (args: readonly string[], input: Buffer | string = ''): Promise<Ended> => {
  const result = await slipway(['build', ...args], { root, input })
  expect(result.code).not.toBe(0)
  return result
}

const lastModified = Date.parse('Wed, 21 Oct 2015 07:28:00 GMT') / 1000

describe('12.20 ADD of URLs', () => {
  test('name, mode, owner and time; into a directory and under a name', async () => {
    const { url } = await serve(bodies({ '/x/hello%20you.txt?v=1': 'hi' }))
    const made = await built([
      context({
        Dockerfile: `FROM scratch\nADD ${url}/x/hello%20you.txt?v=1 /dir/\nADD ${url}/x/hello%20you.txt?v=1 /f\n`,
      }),
    ])
    expect(made).toContain(`600 0:0 ${lastModified} dir/hello you.txt hi`)
    expect(made).toContain(`600 0:0 ${lastModified} f hi`)
  })

  test('--chmod and --chown count', async () => {
    const { url } = await serve(bodies({ '/f': 'hi' }))
    const made = await built([context({ Dockerfile: `FROM scratch\nADD --chmod=755 --chown=5:6 ${url}/f /f\n` })])
    expect(made).toEqual([`755 5:6 ${lastModified} f hi`])
  })

  test('without a usable name it is __unnamed__', async () => {
    const { url } = await serve(bodies({ '/': 'hi' }))
    const made = await built([context({ Dockerfile: `FROM scratch\nADD ${url}/ /d/\n` })])
    expect(made).toContain(`600 0:0 ${lastModified} d/__unnamed__ hi`)
  })

  test('an unchanged file is a cache hit and is not sent again; a changed one is a miss', async () => {
    const files: Record<string, string> = { '/f': 'one' }
    const { url, requests } = await serve((request, response) => bodies(files)(request, response))
    const directory = context({ Dockerfile: `FROM scratch\nADD ${url}/f /f\n` })
    const build = (): Promise<Ended> => slipwayOk(['build', '--progress', 'plain', directory], { root })
    expect((await build()).stderr).not.toMatch(/#2 CACHED/)
    const second = await build()
    expect(second.stderr).toMatch(/#2 CACHED/)
    expect(requests[1]?.headers['if-none-match']).toBeDefined()
    files['/f'] = 'two'
    expect((await build()).stderr).not.toMatch(/#2 CACHED/)
  })

  test('--checksum is verified', async () => {
    const { url } = await serve(bodies({ '/f': 'hi' }))
    const sum = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`
    const dockerfile = (text: string): string => `FROM scratch\nADD --checksum=${sum(text)} ${url}/f /f\n`
    expect(await built([context({ Dockerfile: dockerfile('hi') })])).toHaveLength(1)
    const { stderr } = await failed([context({ Dockerfile: dockerfile('other') })])
    expect(stderr).toContain(sum('hi'))
    expect(stderr).toMatch(/Dockerfile:2:/)
  })

  test('a refusal is an error at the URL', async () => {
    const { url } = await serve(bodies({}))
    const { stderr } = await failed([context({ Dockerfile: `FROM scratch\nADD ${url}/none /f\n` })])
    expect(stderr).toContain('answered 404')
    expect(stderr).toMatch(/Dockerfile:2:5/)
  })

  test('12.19 an archive is unpacked with --unpack=true only', async () => {
    const archive = gzipSync(writeArchive([file('in/side', 'text', 0o640)]))
    const { url } = await serve(bodies({ '/a.tgz': archive }))
    const dockerfile = (flag: string): string => `FROM scratch\nADD ${flag} ${url}/a.tgz /d/\n`
    expect(await built([context({ Dockerfile: dockerfile('--unpack=true') })])).toContain(
      '640 12:34 1600000000 d/in/side text',
    )
    const plain = await built([context({ Dockerfile: dockerfile('') })])
    expect(plain.map(line => line.split(' ')[3])).toContain('d/a.tgz')
  })

  test('secrets are sent, and are in no layer and no message', async () => {
    const { url, requests } = await serve(bodies({ '/f': 'hi' }))
    writeFileSync(join(root, 'token'), 'very-secret')
    const directory = context({ Dockerfile: `FROM scratch\nADD ${url}/f /f\n` })
    const id = `HTTP_AUTH_TOKEN_${new URL(url).host}`
    const { stdout, stderr } = await slipwayOk(
      ['build', '--secret', `id=${id},src=${join(root, 'token')}`, '--progress', 'plain', directory],
      { root },
    )
    expect(requests[0]?.headers.authorization).toBe('Bearer very-secret')
    expect(stdout + stderr).not.toContain('very-secret')
    expect(() => execFileSync('grep', ['-r', 'very-secret', join(root, 'state')], { stdio: 'pipe' })).toThrow()
  })

  test('in the order written, beside other sources', async () => {
    const { url } = await serve(bodies({ '/f': 'url' }))
    const files = { f: 'local' }
    expect(await built([context({ ...files, Dockerfile: `FROM scratch\nADD f ${url}/f /d/\n` })])).toContain(
      `600 0:0 ${lastModified} d/f url`,
    )
    const other = await built([context({ ...files, Dockerfile: `FROM scratch\nADD ${url}/f f /d/\n` })])
    expect(other.find(line => line.includes(' d/f '))).toMatch(/local$/)
  })
})

describe('14.1 contexts from standard input and URLs', () => {
  const archive = writeArchive([
    file('./Dockerfile', 'FROM scratch\nCOPY . /all/\n'),
    file('./other.Dockerfile', 'FROM scratch\nCOPY sub/f /only\n'),
    file('./.dockerignore', 'sub\n'),
    file('./sub/f', 'text', 0o600),
  ])

  test('an archive on standard input; no ignore file applies to it (13.8)', async () => {
    const made = await built(['-'], archive)
    expect(made).toContain('600 12:34 1600000000 all/sub/f text')
    expect(made.some(line => line.includes('all/.dockerignore'))).toBe(true)
  })

  test.each([
    ['gzip', ['-c']],
    ['bzip2', ['-c']],
    ['xz', ['-c']],
    ['zstd', ['-q', '-c']],
  ])('compressed with %s', async (tool, args) => {
    if (!hasTool(tool)) return
    expect(await built(['-'], execFileSync(tool, args, { input: archive }))).toContain(
      '600 12:34 1600000000 all/sub/f text',
    )
  })

  test('--file names a file of the archive', async () => {
    expect(await built(['-f', 'other.Dockerfile', '-'], archive)).toEqual(['600 12:34 1600000000 only text'])
    expect((await failed(['-f', 'othr.Dockerfile', '-'], archive)).stderr).toContain('other.Dockerfile')
  })

  test('a Dockerfile on standard input has no context; heredocs and URLs work', async () => {
    const { url } = await serve(bodies({ '/f': 'hi' }))
    const made = await built(['-'], `FROM scratch\nCOPY <<EOT /heredoc\ntext\nEOT\nADD ${url}/f /f\n`)
    expect(made.map(line => line.split(' ').slice(3).join(' ').trim())).toEqual(['f hi', 'heredoc text'])
    expect((await failed(['-'], 'FROM scratch\nCOPY a /a\n')).stderr).toMatch(/no context/)
  })

  test('an archive, or a Dockerfile, at a URL', async () => {
    const { url } = await serve(
      bodies({ '/c.tar.gz': gzipSync(archive), '/Dockerfile.txt': 'FROM scratch\nCOPY <<EOT /f\ntext\nEOT\n' }),
    )
    expect(await built([`${url}/c.tar.gz`])).toContain('600 12:34 1600000000 all/sub/f text')
    expect(await built([`${url}/Dockerfile.txt`])).toHaveLength(1)
    expect((await failed([`${url}/nothing`])).stderr).toContain('answered 404')
  })

  test('the Dockerfile from standard input, the context from a URL', async () => {
    const { url } = await serve(bodies({ '/c.tar': archive }))
    expect(await built(['-f', '-', `${url}/c.tar`], 'FROM scratch\nCOPY sub/f /x\n')).toEqual([
      '600 12:34 1600000000 x text',
    ])
  })

  test('the same archive is a cache hit', async () => {
    const changed = writeArchive([file('Dockerfile', 'FROM scratch\nCOPY f /unique\n'), file('f', 'u')])
    await slipwayOk(['build', '-'], { root, input: changed })
    expect((await slipwayOk(['build', '--progress', 'plain', '-'], { root, input: changed })).stderr).toMatch(
      /#2 CACHED/,
    )
  })

  test('names and links of an archive lead nowhere outside', async () => {
    const hostile = writeArchive([
      file('../../Dockerfile', 'FROM scratch\nCOPY out/hostname /h\n'),
      { path: 'out', kind: 'symlink', mode: 0o777, uid: 0, gid: 0, mtime: 0, link: '/etc', body: Buffer.alloc(0) },
    ])
    expect((await failed(['-'], hostile)).stderr).toMatch(/"\/out\/hostname" not found/)
  })

  test('what is neither an archive nor a text', async () => {
    expect((await failed(['-'], Buffer.alloc(2000))).stderr).toMatch(/neither an archive nor a Dockerfile/)
    expect((await failed(['-f', '-', '-'], archive)).stderr).toMatch(/both the context and the Dockerfile/)
  })
})

/** What SOURCE_DATE_EPOCH was taken to be: an index says so, and nothing but an epoch puts it there. */
async function epochOf(args: readonly string[], input: Buffer | string = ''): Promise<number | undefined> {
  const out = join(root, `epoch-${folder++}.tar`)
  await slipwayOk(['build', '-o', `type=oci,dest=${out}`, '--progress', 'plain', ...args], { root, input })
  const index = readArchive(readFileSync(out)).find(({ path }) => path === 'index.json')
  const created = /"org.opencontainers.image.created":"([^"]*)"/.exec(index?.body.toString() ?? '')?.[1]
  return created === undefined ? undefined : Date.parse(created) / 1000
}

describe('15.4 SOURCE_DATE_EPOCH names what has a date', () => {
  const archive = gzipSync(
    writeArchive([
      file('Dockerfile', 'ARG SOURCE_DATE_EPOCH=context\nFROM scratch\nCOPY f /\n'),
      { ...file('f', 'text'), mtime: 1_650_000_000 },
      { path: 'd', kind: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 1_700_000_000, body: Buffer.alloc(0) },
    ]),
  )

  test('an archive is as old as its newest file: from standard input, from a URL, as a named context', async () => {
    const { url } = await serve(bodies({ '/a.tar.gz': archive }))
    expect(await epochOf(['-'], archive)).toBe(1_650_000_000)
    expect(await epochOf([`${url}/a.tar.gz`])).toBe(1_650_000_000)
    const directory = context({ Dockerfile: 'ARG SOURCE_DATE_EPOCH\nFROM scratch\nLABEL a=b\n' })
    const named = ['--build-context', `Other=${url}/a.tar.gz`, '--build-arg', 'SOURCE_DATE_EPOCH=other']
    expect(await epochOf([...named, directory])).toBe(1_650_000_000)
  })

  test('anything else at a URL is as old as the server says, a Dockerfile and what a stage adds', async () => {
    const { url } = await serve(
      bodies({ '/f': 'hi', '/D': 'ARG SOURCE_DATE_EPOCH=context\nFROM scratch\nLABEL a=b\n' }),
    )
    expect(await epochOf([`${url}/D`])).toBe(lastModified)
    const text = `ARG SOURCE_DATE_EPOCH=Src\nARG HOST=${url}\nFROM scratch AS src\nARG HOST\nADD $HOST/f /\n`
    const directory = context({ Dockerfile: `${text}FROM scratch\nARG SOURCE_DATE_EPOCH\nCOPY new /\n`, new: 'new' })
    expect(await epochOf([directory])).toBe(lastModified)
    expect(await built([directory])).toEqual([`644 0:0 ${lastModified} new new`])
    const history = await slipwayOk(['build', '-q', '-t', 'dated', directory], { root }).then(() =>
      slipwayOk(['history', '--no-trunc', 'dated'], { root }),
    )
    expect(history.stdout).toContain(`ARG SOURCE_DATE_EPOCH=${lastModified}`)
    expect(await epochOf(['--build-arg', 'SOURCE_DATE_EPOCH=77', directory])).toBe(77)
  })
})

describe('14.2 named contexts', () => {
  test('the archive at a URL', async () => {
    const { url } = await serve(bodies({ '/c.tar': writeArchive([file('f', 'there')]) }))
    const directory = context({ Dockerfile: 'FROM scratch\nCOPY --from=other f /f\n' })
    expect(await built(['--build-context', `other=${url}/c.tar`, directory])).toEqual(['644 12:34 1600000000 f there'])
  })

  test('14.3 an unused one is not asked for', async () => {
    const { url, requests } = await serve(bodies({}))
    await built(['--build-context', `other=${url}/c.tar`, context({ Dockerfile: 'FROM scratch\nCOPY . /\n' })])
    expect(requests).toEqual([])
  })

  test('a URL that is no archive', async () => {
    const { url } = await serve(bodies({ '/f': 'text' }))
    const directory = context({ Dockerfile: 'FROM scratch\nCOPY --from=other f /f\n' })
    expect((await failed(['--build-context', `other=${url}/f`, directory])).stderr).toMatch(/neither an archive nor/)
  })

  describe('images of an OCI layout', () => {
    const layout = join(root, 'layout')
    const digests: string[] = []
    beforeAll(async () => {
      for (const tag of ['one', 'two']) {
        const dockerfile = `FROM scratch\nCOPY <<EOT /f\n${tag}\nEOT\nENV WHICH=${tag}\n`
        const metadata = join(root, `${tag}.json`)
        const output = `type=oci,tar=false,dest=${layout}`
        await slipwayOk(['build', '-t', `app:${tag}`, '-o', output, '--metadata-file', metadata, '-'], {
          root,
          input: dockerfile,
        })
        digests.push(
          (JSON.parse(readFileSync(metadata, 'utf8')) as Record<string, string>)['containerimage.digest'] ?? '',
        )
      }
    })

    const content = async (address: string): Promise<string> => {
      const directory = context({ Dockerfile: 'FROM scratch\nCOPY --from=other /f /f\n' })
      const [line = ''] = await built(['--build-context', `other=oci-layout://${address}`, directory])
      return line.split(' ').at(-1)?.trim() ?? ''
    }

    test('by tag and by digest, for --from and for FROM', async () => {
      expect(await content(`${layout}:one`)).toBe('one')
      expect(await content(`${layout}:two`)).toBe('two')
      expect(await content(`${layout}@${digests[0]}`)).toBe('one')
      const metadata = join(root, 'from.tar')
      const directory = context({ Dockerfile: 'FROM other\n' })
      await slipwayOk(
        ['build', '--build-context', `other=oci-layout://${layout}:two`, '-o', `type=tar,dest=${metadata}`, directory],
        { root },
      )
      expect(readArchive(readFileSync(metadata)).map(({ path, body }) => `${path} ${body.toString()}`)).toEqual([
        'f two\n',
      ])
    })

    test('what is not there is an error that says what is', async () => {
      const directory = context({ Dockerfile: 'FROM other\n' })
      const error = async (address: string): Promise<string> =>
        (await failed(['--build-context', `other=oci-layout://${address}`, directory])).stderr
      expect(await error(`${layout}:three`)).toMatch(/does not have the tag three[^]*it has: one, two/)
      expect(await error(layout)).toMatch(/does not have the tag latest/)
      expect(await error(`${layout}@sha256:${'0'.repeat(64)}`)).toMatch(/does not have sha256:000/)
      expect(await error(`${layout}@sha256:12`)).toMatch(/invalid digest/)
      expect(await error(directory)).toMatch(/there is no OCI layout/)
    })
  })
})

describe.skipIf(!hasGitBackend)('git repositories (needs git and git-http-backend)', () => {
  const project = join(root, 'git', 'app.git')
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', join(root, 'work'), '-c', 'user.name=A', '-c', 'user.email=a@b', ...args], {
      env: { PATH: process.env['PATH'], HOME: root, GIT_COMMITTER_DATE: '1500000000 +0000' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  let url = ''
  let close: (() => Promise<unknown>) | undefined

  beforeAll(async () => {
    mkdirSync(join(root, 'work', 'sub'), { recursive: true })
    execFileSync('git', ['init', '-q', '-b', 'main', join(root, 'work')])
    writeFileSync(join(root, 'work', 'Dockerfile'), 'FROM scratch\nCOPY . /all/\n')
    writeFileSync(join(root, 'work', '.dockerignore'), 'f\n')
    writeFileSync(join(root, 'work', 'f'), 'text')
    writeFileSync(join(root, 'work', 'sub', 'Dockerfile'), 'FROM scratch\nCOPY g /g\n')
    writeFileSync(join(root, 'work', 'sub', 'g'), 'below', { mode: 0o755 })
    git('add', '.')
    git('commit', '-q', '-m', 'one')
    git('tag', 'v1')
    mkdirSync(join(root, 'git'))
    execFileSync('git', ['clone', '-q', '--bare', join(root, 'work'), project], { stdio: 'ignore' })
    const server = await openLocalServer(gitBackend(join(root, 'git')))
    url = `${server.url}/app.git`
    close = server.close
  })
  afterAll(() => close?.())

  test('14.1 as the main context, whole and from a directory; no ignore file applies (13.8)', async () => {
    const made = await built([url])
    expect(made).toContain('644 0:0 1500000000 all/f text')
    expect(made.some(line => line.includes('.git/') || line.endsWith('.git'))).toBe(false)
    expect(await built([`${url}#v1:sub`])).toEqual(['755 0:0 1500000000 g below'])
  })

  test('8.9 BUILDKIT_CONTEXT_KEEP_GIT_DIR keeps .git of the context', async () => {
    const made = await built(['--build-arg', 'BUILDKIT_CONTEXT_KEEP_GIT_DIR=1', url])
    expect(made.some(line => line.includes(' all/.git/HEAD '))).toBe(true)
  })

  test('15.4 a commit is as old as it says: for SOURCE_DATE_EPOCH as context, named context and stage', async () => {
    const as = ['--build-arg', 'SOURCE_DATE_EPOCH=context']
    expect(await epochOf([...as, `${url}#v1:sub`])).toBe(1_500_000_000)
    const text = `ARG SOURCE_DATE_EPOCH=src\nFROM scratch AS src\nADD ${url} /\nFROM scratch\nLABEL a=b\n`
    const directory = context({ Dockerfile: text })
    expect(await epochOf([directory])).toBe(1_500_000_000)
    const named = ['--build-context', `other=${url}#v1`, '--build-arg', 'SOURCE_DATE_EPOCH=other']
    expect(await epochOf([...named, directory])).toBe(1_500_000_000)
  })

  test('14.2 as a named context', async () => {
    const directory = context({ Dockerfile: 'FROM scratch\nCOPY --from=other g /g\n' })
    expect(await built(['--build-context', `other=${url}#main:sub`, directory])).toEqual(['755 0:0 1500000000 g below'])
  })

  test('12.21 as a source of ADD; the same commit is a cache hit', async () => {
    const directory = context({ Dockerfile: `FROM scratch\nADD ${url}?subdir=sub /d\n` })
    const made = await built([directory])
    expect(made).toContain('755 0:0 1500000000 d/g below')
    expect((await slipwayOk(['build', '--progress', 'plain', directory], { root })).stderr).toMatch(/#2 CACHED/)
    const kept = await built([context({ Dockerfile: `FROM scratch\nADD --keep-git-dir ${url} /d/\n` })])
    expect(kept.some(line => line.includes(' d/.git/HEAD '))).toBe(true)
  })

  test('12.21 --exclude, --chown and --checksum', async () => {
    const commit = git('rev-parse', 'HEAD')
    const add = (flags: string): string => context({ Dockerfile: `FROM scratch\nADD ${flags} ${url}#:sub /d/\n` })
    expect(await built([add(`--exclude=Dockerfile --chown=3:4 --checksum=${commit}`)])).toEqual([
      '755 3:4 d',
      '755 3:4 1500000000 d/g below',
    ])
    const { stderr } = await failed([add(`--checksum=${'0'.repeat(40)}`)])
    expect(stderr).toContain(`is at commit ${commit}`)
    expect(stderr).toMatch(/Dockerfile:2:/)
  })

  test('12.21 an unknown key and an unknown ref are errors at the address', async () => {
    const error = async (suffix: string): Promise<string> =>
      (await failed([context({ Dockerfile: `FROM scratch\nADD ${url}${suffix} /d/\n` })])).stderr
    expect(await error('?reff=main')).toMatch(/unknown key "reff"[^]*Dockerfile:2:5[^]*did you mean ref\?/)
    expect(await error('#nothing')).toMatch(/no branch, tag or commit "nothing"[^]*Dockerfile:2:5/)
  })
})
