import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canSandbox } from './host.ts'
import { importTestBase, slipway, slipwayOk } from './slipway.ts'

let root = ''
let runs = false
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'slipway-'))
  runs = (await importTestBase(root)).runs && canSandbox
  if (runs)
    await slipwayOk(['build', '-q', '-t', 'slipway-test/tools', 'test/fixes/base'], { root, cwd: process.cwd() })
}, 60_000)
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface Fixed {
  readonly changes: readonly { readonly kind: string; readonly keepsTree: boolean; readonly saving?: number }[]
  readonly rest?: readonly { readonly kind: string; readonly saving: number }[]
  readonly bases?: readonly { readonly name: string; readonly saving: number }[]
  readonly dropped: readonly { readonly kind: string; readonly reason: string }[]
  readonly diff: string
  readonly proof: {
    readonly equal: boolean
    readonly saved: number
    readonly unexpected: readonly string[]
    readonly before: { readonly size: number }
    readonly run?: { readonly equal: boolean }
  }
}

/** What each sample must come to: the kinds of changes, and the fewest bytes that they save. */
const samples: Readonly<Record<string, readonly [kinds: readonly string[], least: number]>> = {
  'apk-index': [['clean-in-run'], 250_000],
  'chmod-after-copy': [['set-owner'], 300_000],
  'chown-after-copy': [['set-owner'], 400_000],
  'chown-workdir': [['set-owner'], 400_000],
  'compiler-purged': [['join-runs'], 500_000],
  // The list of packages is in two layers then.
  'copy-before-install': [['reorder'], -13],
  'file-removed-later': [['bind-mount'], 500_000],
  'installer-removed': [['bind-mount'], 400_000],
  'lists-alone': [['join-runs', 'clean-in-run'], 300_000],
  'lists-left': [['clean-in-run'], 300_000],
  'lists-removed-later': [['join-runs'], 300_000],
  'npm-cache': [['cache-mount'], 220_000],
  'pip-cache': [['clean-in-run'], 180_000],
  'rubbish-in-context': [['dockerignore'], 300_000],
  'several-at-once': [['join-runs', 'cache-mount', 'set-owner', 'dockerignore'], 800_000],
  'state-between-runs': [['join-runs'], 300_000],
  'yarn-cache': [['clean-in-run'], 220_000],
}

/** A copy of the sample; `NAME.size` becomes a file NAME of so many bytes. */
function copyOf(name: string): string {
  const directory = join(root, name)
  cpSync(join('test/fixes', name), directory, { recursive: true })
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.size')) continue
    const path = join(entry.parentPath, entry.name)
    const size = Number(readFileSync(path, 'utf8'))
    rmSync(path)
    writeFileSync(path.slice(0, -5), Buffer.alloc(size, 'waste '))
  }
  return directory
}

async function fix(name: string, ...args: readonly string[]): Promise<Fixed> {
  const { stdout } = await slipwayOk(['fix', '--prove', '--format', 'json', ...args, copyOf(name)], { root })
  return JSON.parse(stdout) as Fixed
}

describe('wasteful Dockerfiles end with a smaller image and an equal tree', () => {
  test.for(Object.entries(samples))('%s', { timeout: 60_000 }, async ([name, [kinds, least]], { skip }) => {
    if (!runs) skip('needs root, namespaces and a static busybox')
    const { changes, dropped, proof, diff } = await fix(name, '--write')
    console.log(
      `${name}: ${proof.before.size} bytes, ${proof.saved} saved, ${proof.equal ? 'equal' : proof.unexpected.join('; ')}`,
    )
    expect(proof.unexpected, diff).toEqual([])
    expect(proof.equal).toBe(true)
    expect(proof.saved, diff).toBeGreaterThanOrEqual(least)
    expect(new Set(changes.map(({ kind }) => kind))).toEqual(new Set(kinds))
    expect(dropped).toEqual([])
    // What the image told of each change is what all of them saved; commands may write a few bytes more or less.
    const told = changes.reduce((sum, { saving = 0 }) => sum + saving, 0)
    expect(Math.abs(told - proof.saved), JSON.stringify(changes)).toBeLessThan(100)
    // What was written is what was proven: it builds, and nothing is left to change.
    const again = await slipwayOk(['fix', '--format', 'json', join(root, name)], { root })
    expect((JSON.parse(again.stdout) as Fixed).changes).toEqual([])
  })

  test('after a reordering, a changed source installs nothing anew', { timeout: 60_000 }, async ({ skip }) => {
    if (!runs) skip('needs root, namespaces and a static busybox')
    const directory = copyOf('copy-before-install')
    const ran = async (): Promise<boolean> => {
      writeFileSync(join(directory, 'app.py'), `print(${Math.random()})\n`)
      const { stderr } = await slipwayOk(['build', '--progress', 'plain', directory], { root })
      const step = /^#(\d+) .*RUN pip/m.exec(stderr)?.[1]
      expect(step, stderr).toBeDefined()
      return !new RegExp(`^#${step} CACHED`, 'm').test(stderr)
    }
    expect([await ran(), await ran()]).toEqual([true, true])
    await slipwayOk(['fix', '--write', directory], { root })
    await ran()
    expect(await ran()).toBe(false)
  })

  test('comments survive', async ({ skip }) => {
    if (!runs) skip('needs root, namespaces and a static busybox')
    const text = readFileSync(join(root, 'lists-removed-later/Dockerfile'), 'utf8')
    expect(text).toBe(
      'FROM slipway-test/tools\nRUN apt-get update && apt-get install -y --no-install-recommends hello \\\n# Make it small.\n && rm -rf /var/lib/apt/lists/*\n',
    )
  })

  test('what would change other files is left out, with the reason', { timeout: 60_000 }, async ({ skip }) => {
    if (!runs) skip('needs root, namespaces and a static busybox')
    const { changes, dropped, proof } = await fix('others-owned-too')
    expect(changes).toEqual([])
    expect(dropped).toMatchObject([
      { kind: 'set-owner', reason: expect.stringMatching(/^\/opt\/tool.*owner/) as string },
    ])
    expect(proof.saved).toBe(0)
  })

  test('an owner that is made behind the COPY is not its owner', async () => {
    const directory = join(root, 'owner-made-later')
    mkdirSync(directory)
    const text = 'FROM slipway-test/tools\nCOPY a /srv/a\nRUN adduser -D app && chown -R app /srv/a\n'
    writeFileSync(join(directory, 'Dockerfile'), text)
    const { stdout } = await slipwayOk(['fix', '--format', 'json', directory], { root })
    expect((JSON.parse(stdout) as Fixed).changes).toEqual([])
    writeFileSync(join(directory, 'Dockerfile'), text.replace('chown -R app', 'chown -R 1:1'))
    const other = await slipwayOk(['fix', '--format', 'json', directory], { root })
    expect((JSON.parse(other.stdout) as Fixed).changes).toMatchObject([{ kind: 'set-owner' }])
  })

  test('another tree on purpose is said to be one, and a command compares', { timeout: 60_000 }, async ({ skip }) => {
    if (!runs) skip('needs root, namespaces and a static busybox')
    const { changes, proof } = await fix('compiler-in-image', '--multi-stage', '--run', '/opt/main')
    expect(changes.some(({ kind, keepsTree }) => kind === 'multi-stage' && !keepsTree)).toBe(true)
    expect(proof.equal).toBe(false)
    expect(proof.run?.equal).toBe(true)
    expect(proof.saved).toBeGreaterThan(200_000)
  })
})

/** A program of this machine with libraries besides the C library; all files that its loader names. */
const tool = '/usr/bin/ls'
const loader = '/lib64/ld-linux-x86-64.so.2'
const libraries = existsSync(loader)
  ? [...spawnSync(loader, ['--list', tool], { encoding: 'utf8' }).stdout.matchAll(/ => (\/\S+)/g)].map(
      ([, path = '']) => path,
    )
  : []
const isOfLibc = (path: string): boolean => /\/(libc|ld-linux[^/]*)\.so/.test(path)

describe.skipIf(!canSandbox || libraries.every(isOfLibc))('what programs need decides about stages and bases', () => {
  const rooted = (directory: string, paths: readonly string[]): void => {
    for (const path of paths) {
      // The base has lib64 as a link.
      const at = join(directory, path.replace(/^\/lib64\//, '/lib/'))
      mkdirSync(dirname(at), { recursive: true })
      copyFileSync(path, at)
    }
  }
  beforeAll(async () => {
    if (!runs) return
    for (const name of ['full', 'small', 'bare']) {
      const directory = join(root, 'bases', name)
      mkdirSync(join(directory, 'files'), { recursive: true })
      if (name !== 'bare') rooted(join(directory, 'files'), [loader, ...libraries.filter(isOfLibc)])
      if (name === 'full') {
        rooted(join(directory, 'files'), libraries)
        writeFileSync(join(directory, 'files/filler'), Buffer.alloc(4_000_000, 'filler '))
        mkdirSync(join(directory, 'files/usr/local/bin'), { recursive: true })
        copyFileSync(tool, join(directory, 'files/usr/local/bin/tool'))
      }
      writeFileSync(join(directory, 'Dockerfile'), 'FROM slipway-test/base\nCOPY files /\n')
      await slipwayOk(['build', '-q', '-t', name, directory], { root })
    }
  }, 60_000)

  const project = (name: string, ...lines: readonly string[]): string => {
    const directory = join(root, name)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'notes'), 'notes\n')
    writeFileSync(join(directory, 'Dockerfile'), `${lines.join('\n')}\n`)
    return directory
  }
  const fixed = async (...args: readonly string[]): Promise<Fixed> =>
    JSON.parse((await slipwayOk(['fix', '--format', 'json', ...args], { root })).stdout) as Fixed

  test('a split copies the libraries that the new base lacks, and not those it has', { timeout: 60_000 }, async ({
    skip,
  }) => {
    if (!runs) skip('needs root, namespaces and a static busybox')
    const directory = project(
      'split',
      'FROM full',
      'COPY notes /srv/notes',
      'RUN cp /usr/local/bin/tool /opt/list && mkdir /var/spare',
      'CMD ["/opt/list", "/srv"]',
    )
    const run = ['--prove', '--run', '/opt/list /srv']
    const { proof, diff, changes } = await fixed('--multi-stage', '--base', 'small', ...run, directory)
    expect(changes.map(({ kind, keepsTree }) => [kind, keepsTree])).toEqual([['multi-stage', false]])
    expect(proof.run).toMatchObject({ equal: true })
    expect(proof.saved).toBeGreaterThan(3_900_000)
    expect(changes[0]?.saving).toBe(proof.saved)
    const added = diff.split('\n').filter(line => line.startsWith('+'))
    const copied = added.filter(line => /^\+(?:COPY --from=build| {4}\/)/.test(line)).join(' ')
    expect(added).toContain('+FROM small')
    expect(copied).toContain('/opt/list')
    expect(copied).toContain('/srv/notes')
    for (const path of libraries) expect(copied.includes(path), path).toBe(!isOfLibc(path))
  })

  test('a split to nothing but a static program is tried without a shell', { timeout: 60_000 }, async ({ skip }) => {
    if (!runs) skip('needs root, namespaces and a static busybox')
    const directory = project(
      'static',
      'FROM full',
      'COPY notes /srv/notes',
      'RUN cp /bin/busybox /opt/ls',
      'CMD ["/opt/ls", "/srv"]',
    )
    const run = ['--prove', '--run', '/opt/ls /srv/notes']
    const { proof, diff, changes } = await fixed('--multi-stage', '--base', 'scratch', ...run, directory)
    expect(changes.map(({ kind }) => kind)).toEqual(['multi-stage'])
    expect(diff).toContain('+FROM scratch\n')
    expect(proof.run).toMatchObject({ equal: true, exitCodes: [0, 0] })
  })

  test('a command that needs a shell proves nothing where there is none', { timeout: 60_000 }, async ({ skip }) => {
    if (!runs) skip('needs root, namespaces and a static busybox')
    const lines = ['COPY notes /srv/notes', 'RUN cp /bin/busybox /opt/ls', 'CMD ["/opt/ls", "/srv"]']
    const directory = project('shell', 'FROM full', ...lines)
    for (const command of ['/opt/ls /srv | cat', 'A=1 /opt/ls /srv', 'cd /srv']) {
      const { changes, dropped } = await fixed(
        '--multi-stage',
        '--base',
        'scratch',
        '--prove',
        '--run',
        command,
        directory,
      )
      expect(changes, command).toEqual([])
      expect(dropped[0]?.kind).toBe('multi-stage')
      expect(dropped[0]?.reason).toMatch(/cannot be run then: can't start "(\/bin\/sh|cd)"/)
    }
  })

  test('a base whose name is gone since is no reason to fail, and what fails is told in its own file', async ({
    skip,
  }) => {
    if (!runs) skip('needs root, namespaces and a static busybox')
    const directory = project('nameless', 'FROM passing', 'COPY notes /srv/notes', 'CMD ["/usr/local/bin/tool"]')
    await slipwayOk(['tag', 'full', 'passing'], { root })
    await slipwayOk(['build', '-q', directory], { root })
    await slipwayOk(['rmi', 'passing'], { root })
    expect((await fixed(directory)).changes).toEqual([])
    const failing = project('failing', 'FROM full', 'RUN false')
    const { code, stderr } = await slipway(['fix', '--prove', failing], { root })
    expect(code).toBe(1)
    expect(stderr).toContain('failing/Dockerfile:2:1')
  })

  test('a base without the libraries is not advised, a smaller one that has them is', { timeout: 60_000 }, async ({
    skip,
  }) => {
    if (!runs) skip('needs root, namespaces and a static busybox')
    const directory = project('swap', 'FROM full', 'COPY notes /srv/notes', 'CMD ["/bin/busybox", "ls", "/srv"]')
    const static_ = await fixed('--prove', '--base', 'small', '--base', 'bare', directory)
    expect(static_.bases?.map(({ name }) => name)).toEqual(['bare', 'small'])
    expect(static_.changes).toEqual([])
    const dynamic = project('dynamic', 'FROM full', 'COPY notes /srv/notes', 'CMD ["/usr/local/bin/tool", "/srv"]')
    expect((await fixed('--prove', '--base', 'small', dynamic)).bases).toEqual([])
    const run = ['--run', 'ls /srv', '--prove', '--multi-stage']
    const { proof, diff, changes } = await fixed(...run, '--base', 'small', directory)
    expect(changes.map(({ kind }) => kind)).toEqual(['other-base'])
    expect(diff).toContain('-FROM full\n+FROM small\n')
    expect(changes[0]?.saving).toBe(proof.saved)
    expect([proof.equal, proof.run?.equal]).toEqual([false, true])
  })
})

test('without --write nothing is written, and without --prove nothing is built', async () => {
  mkdirSync(join(root, 'shown'))
  const text = 'FROM no-such-image\nCOPY app /app\nRUN chown -R app /app\n'
  writeFileSync(join(root, 'shown/Dockerfile'), text)
  const { stdout } = await slipwayOk(['fix', 'shown'], { root })
  expect(stdout).toContain('+COPY --chown=app app /app')
  expect(stdout).toContain('-RUN chown -R app /app')
  expect(stdout).toContain('not proven')
  expect(readFileSync(join(root, 'shown/Dockerfile'), 'utf8')).toBe(text)
  const failed = await slipway(['fix', '--prove', 'shown'], { root })
  expect(failed.code).toBe(1)
  expect(failed.stderr).toContain('no-such-image')
})
