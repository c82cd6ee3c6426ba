import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canSandbox, hasTool, isRoot } from './host.ts'
import { readArchive, writeArchive } from './oracle/tar-archive.ts'
import { findBusybox } from './oracle/test-base.ts'
import { type Ended, importTestBase, leftovers, slipway, slipwayOk } from './slipway.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-errors-'))
const canRun = canSandbox && findBusybox().runs

beforeAll(() => importTestBase(root).then(() => {}))
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface BadBuild {
  readonly name: string
  readonly dockerfile: string
  readonly files?: Readonly<Record<string, string | Buffer>>
  /** Symbolic links of the context and where they lead. */
  readonly links?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** Line of the Dockerfile and the text that the caret must underline, or the beginning of it. */
  readonly at?: readonly [line: number, marked: string]
  readonly says: RegExp
  readonly hints?: RegExp
  readonly runs?: boolean
}

const brokenArchive = gzipSync(Buffer.alloc(200_000, 'not a tar, but long enough to be one ')).subarray(0, 300)
const halfArchive = gzipSync(
  writeArchive([{ path: 'x', kind: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, body: Buffer.alloc(300_000, 7) }]),
).subarray(0, 200)

const badBuilds: readonly BadBuild[] = [
  {
    name: 'an unknown instruction',
    dockerfile: 'FROM scratch\n\nCOYP a /a\n',
    at: [3, 'COYP'],
    says: /unknown instruction/i,
    hints: /COPY/,
  },
  {
    name: 'an unknown flag',
    dockerfile: 'FROM scratch\nCOPY --form=x a /a\n',
    at: [2, '--form'],
    says: /unknown flag/i,
    hints: /--from/,
  },
  {
    name: 'an unknown stage in COPY --from',
    dockerfile: 'FROM slipway-test/base AS builder\nFROM scratch\nCOPY --from=bulider /etc/motd /\n',
    at: [3, 'bulider'],
    says: /bulider/,
    hints: /builder/,
  },
  {
    name: 'an unknown base image',
    dockerfile: 'FROM slipway-test/bass\n',
    at: [1, 'slipway-test/bass'],
    says: /slipway-test\/bass/,
  },
  {
    name: 'an unknown target',
    dockerfile: 'FROM scratch AS final\nCOPY a /a\n',
    files: { a: 'a' },
    args: ['--target', 'finel'],
    says: /finel/,
    hints: /final/,
  },
  {
    name: 'a missing source',
    dockerfile: 'FROM scratch\nCOPY there missing /\n',
    files: { there: 'x' },
    at: [2, 'missing'],
    says: /missing/,
  },
  {
    name: 'a wildcard that meets a link to nothing',
    dockerfile: 'FROM scratch\nCOPY lin* /\n',
    links: { link: 'gone/file' },
    at: [2, 'lin*'],
    says: /"\/link" is a link to "gone\/file", which is not in the build context/,
  },
  {
    name: 'a source that is a circle of links',
    dockerfile: 'FROM scratch\nCOPY one /\n',
    links: { one: 'two', two: 'one' },
    at: [2, 'one'],
    says: /too many levels of symbolic links at "\/one"/,
  },
  {
    name: 'a source that .dockerignore hides',
    dockerfile: 'FROM scratch\nCOPY hidden.txt /\n',
    files: { 'hidden.txt': 'x', '.dockerignore': 'x\n*.txt\n' },
    at: [2, 'hidden.txt'],
    says: /hidden\.txt/,
    hints: /\.dockerignore/,
  },
  {
    name: 'a source that is missing in a stage',
    dockerfile: 'FROM slipway-test/base AS one\nFROM scratch\nCOPY --from=one /etc/missing /\n',
    at: [3, '/etc/missing'],
    says: /\/?etc\/missing/,
  },
  {
    name: 'a file in the place of a directory',
    dockerfile: 'FROM slipway-test/base\nCOPY dir /etc/motd\n',
    files: { 'dir/a': 'a' },
    at: [2, '/etc/motd'],
    says: /motd/,
  },
  {
    name: '12.8 several files for one file',
    dockerfile: 'FROM slipway-test/base\nCOPY *.txt /etc/motd\n',
    files: { 'a.txt': 'a', 'b.txt': 'b' },
    at: [2, '/etc/motd'],
    says: /2 sources cannot become one file/,
    hints: /\/etc\/motd\//,
  },
  {
    name: '9.12 a WORKDIR where a file is',
    dockerfile: 'FROM slipway-test/base\nWORKDIR /etc/motd/sub\n',
    at: [2, 'WORKDIR'],
    says: /motd" exists and is not a directory/,
  },
  {
    name: 'an unknown user in --chown',
    dockerfile: 'FROM slipway-test/base\nCOPY --chown=nobdy a /a\n',
    files: { a: 'a' },
    at: [2, '--chown=nobdy'],
    says: /nobdy/,
    hints: /nobody/,
  },
  {
    name: 'an unknown user in USER',
    dockerfile: 'FROM slipway-test/base\nUSER ap\nRUN true\n',
    says: /\bap\b/,
    runs: true,
  },
  {
    name: 'a corrupt archive',
    dockerfile: 'FROM scratch\nADD broken.tar.gz /x/\n',
    files: { 'broken.tar.gz': halfArchive },
    at: [2, 'broken.tar.gz'],
    says: /broken\.tar\.gz/,
  },
  {
    name: 'a file without instructions',
    dockerfile: '# nothing\n\n',
    says: /no instructions|empty/i,
  },
  { name: 'an instruction before FROM', dockerfile: 'RUN true\n', at: [1, 'RUN'], says: /FROM/ },
  {
    name: 'a variable without an end',
    dockerfile: 'FROM scratch\nENV A=${B\n',
    at: [2, '${B'],
    says: /\}|unterminated|missing/i,
  },
  {
    name: 'a heredoc without an end',
    dockerfile: 'FROM scratch\nCOPY <<END /x\nbody\n',
    at: [2, '<<END'],
    says: /END/,
  },
  {
    name: 'a required variable that is not set',
    dockerfile: 'FROM scratch\nARG V\nLABEL v="${V:?tell the version}"\n',
    at: [3, '${V:?tell the version}'],
    says: /tell the version/,
  },
  {
    name: 'a port that is none',
    dockerfile: 'FROM scratch\nEXPOSE 80 http\n',
    at: [2, 'http'],
    says: /http/,
  },
  {
    name: 'a command that fails',
    dockerfile: 'FROM slipway-test/base\nRUN true\nRUN echo the last words && exit 7\n',
    at: [3, 'RUN echo the last words'],
    says: /\b7\b/,
    runs: true,
  },
  {
    name: 'a command that does not exist',
    dockerfile: 'FROM slipway-test/base\nRUN ["no-such-program"]\n',
    at: [2, 'RUN'],
    says: /no-such-program/,
    runs: true,
  },
]

describe('a bad build ends with exit code 1, says where, and writes nothing', () => {
  for (const [i, bad] of badBuilds.entries()) {
    test(bad.name, async ({ skip }) => {
      skip(bad.runs === true && !canRun, 'RUN needs root, mount namespaces and a static busybox')
      const context = layOut(`bad-${i}`, { Dockerfile: bad.dockerfile, ...bad.files })
      for (const [path, target] of Object.entries(bad.links ?? {})) symlinkSync(target, join(context, path))
      const output = join(root, `bad-${i}.tar`)
      const args = ['--progress', 'plain', '-t', `bad:${i}`, '-o', `type=oci,dest=${output}`, ...(bad.args ?? [])]
      const result = await slipway(['build', ...args, context], { root })
      expectUserError(result)
      const error = result.stderr.slice(result.stderr.indexOf('error:'))
      expect(error).toMatch(bad.says)
      if (bad.hints) expect(error).toMatch(new RegExp(`hint:[^]*${bad.hints.source}`))
      if (bad.at) expect(marked(error)).toEqual({ line: bad.at[0], text: bad.at[1] })
      expect(existsSync(output)).toBe(false)
      expect((await slipwayOk(['images', '--format', 'json'], { root })).stdout).not.toContain('"bad"')
    })
  }

  test('and nothing stays behind', () => {
    expect(leftovers(root)).toEqual({ mounts: [], processes: [], temporaries: [] })
    expect(readdirSync(root).filter(name => name.startsWith('bad-') && name.includes('.tar'))).toEqual([])
  })

  /** The line and what is underlined in it, cut to the length of what the case expects. */
  function marked(error: string): { line: number; text: string } {
    const line = Number(/--> [^\n]*?Dockerfile:(\d+):\d+/.exec(error)?.[1])
    const lines = error.split('\n')
    const carets = lines.findIndex(each => /^\s*\|\s*\^+\s*$/.test(each))
    const under = lines[carets] ?? ''
    const from = under.indexOf('^')
    const text = (lines[carets - 1] ?? '').slice(from, under.lastIndexOf('^') + 1)
    const expected = badBuilds.find(({ at }) => at?.[0] === line && (text.startsWith(at[1]) || at[1].startsWith(text)))
    return { line, text: text !== '' && expected?.at ? expected.at[1] : text }
  }
})

test('the last lines of a failed command are shown', async ({ skip }) => {
  skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
  const dockerfile = 'FROM slipway-test/base\nRUN seq 1 500; echo reason >&2; exit 3\n'
  const result = await slipway(['build', '--progress', 'quiet', layOut('tail', { Dockerfile: dockerfile })], { root })
  expectUserError(result)
  expect(result.stderr).toMatch(/^\W*500$/m)
  expect(result.stderr).toMatch(/^\W*reason$/m)
  expect(result.stderr).not.toMatch(/^\W*100$/m)
})

describe('a context that cannot be read', () => {
  test.each([
    ['is not there', 'no-such-directory'],
    ['is a file', 'test-base.tar'],
  ])('it %s', async (_, name) => {
    const result = await slipway(['build', join(root, name)], { root })
    expectUserError(result)
    expect(result.stderr).toContain(name)
  })

  test('it has no Dockerfile', async () => {
    const result = await slipway(['build', layOut('no-dockerfile', { 'Dockerfil.txt': '' })], { root })
    expectUserError(result)
    expect(result.stderr).toMatch(/Dockerfile/)
  })

  test('a file in it may not be read', async ({ skip }) => {
    skip(!isRoot || !hasTool('setpriv'), 'needs root to become an ordinary user')
    const home = mkdtempSync(join(tmpdir(), 'slipway-unreadable-'))
    try {
      const files = { Dockerfile: 'FROM scratch\nCOPY . /\n', 'dir/secret': 'x' }
      const context = layOut('unreadable', files, home)
      const give = 'chmod 000 "$0/dir/secret" && chown -R 54321:54321 "$0" "$1" && shift && exec "$@"'
      const asUser = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups']
      const prefix = ['sh', '-c', give, context, home, ...asUser]
      const result = await slipway(['build', context], { root: home, prefix })
      expectUserError(result)
      expect(result.stderr).toMatch(/secret/)
      expect(result.stderr).toMatch(/permission|may not be read|EACCES/i)
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  })
})

describe('archives that are not what they say', () => {
  test.each([
    ['load', 'garbage', Buffer.from('this is no archive '.repeat(100))],
    ['load', 'an empty file', Buffer.alloc(0)],
    ['load', 'a broken gzip stream', brokenArchive],
    ['import', 'garbage', Buffer.from('this is no archive '.repeat(100))],
    ['import', 'half an archive', halfArchive],
  ])('%s: %s', async (command, name, bytes) => {
    const path = join(root, `${command} ${name}`)
    writeFileSync(path, bytes)
    const args = command === 'load' ? ['load', '-i', path] : ['import', path, 'bad/import']
    const result = await slipway(args, { root })
    expectUserError(result)
    expect((await slipwayOk(['images', '--format', 'json'], { root })).stdout).not.toContain('bad/import')
  })

  test('a blob with another digest', async () => {
    const context = layOut('digest', { Dockerfile: 'FROM scratch\nCOPY a /a\n', a: 'a'.repeat(1000) })
    const path = join(root, 'digest.tar')
    await slipwayOk(['build', '-o', `type=oci,dest=${path}`, context], { root })
    for (const [i, victim] of readArchive(await readFile(path)).entries()) {
      if (!victim.path.startsWith('blobs/sha256/') || victim.kind !== 'file') continue
      const members = readArchive(await readFile(path)).map((member, k) => {
        if (k !== i) return member
        const body = Buffer.from(member.body)
        body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1
        return { ...member, body }
      })
      const changed = join(root, `changed-${i}.tar`)
      writeFileSync(changed, writeArchive(members))
      const home = join(root, `changed-${i}`)
      mkdirSync(home)
      const result = await slipway(['load', '-i', changed], { root: home })
      expectUserError(result)
      expect(result.stderr).toMatch(/sha256|digest/)
      expect((await slipwayOk(['images', '--quiet'], { root: home })).stdout).toBe('')
    }
  })
})

describe('a full disk', () => {
  const inSmallSpace = 'mount -t tmpfs -o size=2m tmpfs "$0" && { "$@"; code=$?; ls -A "$0"; exit $code; }'

  test.for<[string, (space: string) => { output?: string; state?: string }]>([
    ['of the destination', space => ({ output: join(space, 'out.tar') })],
    ['of the state directory', space => ({ state: space })],
  ])('%s', async ([name, where], { skip }) => {
    skip(!canSandbox, 'needs root and mount namespaces')
    const space = join(root, `space ${name}`)
    mkdirSync(space)
    const { output, state } = where(space)
    const context = layOut(`full ${name}`, { Dockerfile: 'FROM scratch\nCOPY big /\n', big: noise(6_000_000) })
    const destination = output ?? join(root, `full ${name}.tar`)
    const result = await slipway(['build', '-o', `type=tar,dest=${destination}`, context], {
      root,
      prefix: ['unshare', '--mount', 'sh', '-c', inSmallSpace, space],
      ...(state === undefined ? {} : { env: { SLIPWAY_ROOT: state } }),
    })
    expectUserError(result)
    expect(result.stderr).toMatch(/space|full/i)
    if (output !== undefined) expect(result.stdout.trim()).toBe('')
    expect(existsSync(destination)).toBe(false)
  })

  /** Bytes that do not compress. */
  function noise(size: number): Buffer {
    const bytes = Buffer.alloc(size)
    let state = 42
    for (let i = 0; i < size; i++) bytes[i] = (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff) >> 16
    return bytes
  }
})

describe('wrong usage ends with exit code 2', () => {
  test.each([
    ['an unknown command', ['bulid', '.'], /build/],
    ['an unknown option', ['build', '--taget', 'x', 'context'], /--target/],
    ['no context', ['build'], /path|context/i],
    ['an unknown output', ['build', '-o', 'type=ocy,dest=x', '.'], /oci/],
    ['a build argument without a name', ['build', '--build-arg', '=x', 'context'], /build-arg/],
    ['a name that is none', ['build', '-t', 'No Name!', '.'], /No Name!/],
  ])('%s', async (_, args, says) => {
    layOut('context', { Dockerfile: 'FROM scratch\nARG x\nCOPY Dockerfile /\n' })
    const result = await slipway(args, { root })
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(/^error:/m)
    expect(result.stderr).toMatch(says)
    expect(result.stderr).not.toMatch(stackLine)
  })
})

const stackLine = /^\s+at .*\.(js|ts):\d+/m

function expectUserError(result: Ended): void {
  expect({ code: result.code, stderr: result.stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^error: /m) as string,
  })
  expect(result.stderr).toMatch(/hint: /)
  expect(result.stderr).not.toMatch(stackLine)
  expect(result.stderr).not.toMatch(/internal error/)
}

/** Writes files below a new directory and gives its path. */
function layOut(name: string, files: Readonly<Record<string, string | Buffer>>, below = root): string {
  const folder = join(below, name)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return folder
}
