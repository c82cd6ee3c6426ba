import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canSandbox, isRoot } from './host.ts'
import { findBusybox } from './oracle/test-base.ts'
import { importTestBase, slipwayOk } from './slipway.ts'

/** Section 16 of the language page: what makes a step anew, and what does not. */

const root = mkdtempSync(join(tmpdir(), 'slipway-cache-'))
const canRun = canSandbox && findBusybox().runs

beforeAll(async () => {
  await importTestBase(root)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

type Outcome = 'hit' | 'miss'

interface Step {
  readonly text: string
  readonly outcome: Outcome
  readonly reasons: readonly { readonly input: string; readonly name?: string; readonly text: string }[]
}

interface Built {
  readonly image: string
  readonly steps: readonly Step[]
}

/** Builds with `--explain` and gives every step that makes a layer, in the order of the file. */
async function build(directory: string, ...args: readonly string[]): Promise<Built> {
  const { stderr } = await slipwayOk(['build', '--explain', '--progress', 'json', ...args, directory], { root })
  const events = stderr
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown> & { kind: string; id: number })
  const texts = new Map(events.filter(({ kind }) => kind === 'begin').map(event => [event.id, String(event['text'])]))
  const steps = events
    .filter(({ kind }) => kind === 'cache')
    .map(event => ({
      text: texts.get(event.id) ?? '',
      outcome: event['hit'] === true ? ('hit' as const) : ('miss' as const),
      reasons: event['reasons'] as Step['reasons'],
    }))
  return { image: String(events.find(({ kind }) => kind === 'result')?.['image']), steps }
}

/** What `--print-plan` says about every step, by its text. */
async function predict(directory: string, ...args: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await slipwayOk(['build', '--print-plan', ...args, directory], { root })
  const plan = JSON.parse(stdout) as { stages: { steps: { text: string; cache: string }[] }[] }
  return new Map(plan.stages.flatMap(({ steps }) => steps.map(({ text, cache }) => [text, cache] as const)))
}

function step({ steps }: Built, start: string): Step {
  const found = steps.find(({ text }) => text.startsWith(start))
  if (!found) throw new Error(`no step starts with ${start}: ${steps.map(({ text }) => text).join('; ')}`)
  return found
}

let scenarios = 0

/** A context of its own; `@` in the Dockerfile becomes a name that no other scenario has. */
function scenario(dockerfile: string, files: Readonly<Record<string, string>> = {}): string {
  const name = `s${++scenarios}`
  const directory = join(root, name)
  mkdirSync(directory)
  for (const [path, text] of Object.entries({ '.dockerignore': 'Dockerfile*\n', ...files })) {
    mkdirSync(join(directory, dirname(path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  writeDockerfile(directory, dockerfile)
  return directory
}

function writeDockerfile(directory: string, text: string): void {
  writeFileSync(join(directory, 'Dockerfile'), text.replaceAll('@', basename(directory)))
}

const files = { 'src/a': 'a\n', 'src/sub/b': 'b\n', 'other/c': 'c\n' }

interface Case {
  readonly title: string
  readonly dockerfile: string
  readonly files?: Readonly<Record<string, string>>
  /** What is done between the two builds; may give another Dockerfile. */
  readonly change?: (directory: string) => string | undefined | void
  readonly before?: readonly string[]
  readonly after?: readonly string[]
  readonly needs?: 'run' | 'root'
  /** Start of an instruction → what the second build finds. */
  readonly expected: Readonly<Record<string, Outcome>>
  /** Parts of texts that the misses must say. */
  readonly reasons?: readonly string[]
}

const copy = 'FROM scratch\nCOPY src /@/\n'
const write = (path: string, text: string) => (directory: string) => writeFileSync(join(directory, path), text)
const rewrite = (text: string) => (): string => text

const cases: readonly Case[] = [
  {
    title: '16.1 and 16.2: a new modification time hits',
    dockerfile: copy,
    change: directory => utimesSync(join(directory, 'src/a'), 1_000_000_000, 1_000_000_000),
    expected: { COPY: 'hit' },
  },
  {
    title: '16.2: another mode of a file misses',
    dockerfile: copy,
    change: directory => chmodSync(join(directory, 'src/a'), 0o600),
    expected: { COPY: 'miss' },
    reasons: ['file src/a: mode 0644 → 0600'],
  },
  {
    title: '16.2: another owner of a file of the context hits',
    dockerfile: copy,
    needs: 'root',
    change: directory => chownSync(join(directory, 'src/a'), 12, 34),
    expected: { COPY: 'hit' },
  },
  {
    title: '16.2: other content misses, of the same length too',
    dockerfile: copy,
    change: write('src/sub/b', 'B\n'),
    expected: { COPY: 'miss' },
    reasons: ['file src/sub/b: content changed'],
  },
  {
    title: '16.2: a new file in the directory misses',
    dockerfile: copy,
    change: write('src/new', ''),
    expected: { COPY: 'miss' },
    reasons: ['file src/new: added'],
  },
  {
    title: '16.2: a file that is gone misses',
    dockerfile: copy,
    change: directory => rmSync(join(directory, 'src/a')),
    expected: { COPY: 'miss' },
    reasons: ['file src/a: removed'],
  },
  {
    title: '16.2: a file elsewhere hits',
    dockerfile: copy,
    change: write('other/new', 'x'),
    expected: { COPY: 'hit' },
  },
  {
    title: '16.2: a new file that the ignore file hides hits',
    dockerfile: 'FROM scratch\nCOPY . /@/\n',
    files: { ...files, '.dockerignore': 'Dockerfile\n*.log\n' },
    change: write('x.log', 'x'),
    expected: { COPY: 'hit' },
  },
  {
    title: '16.2: a new file that --exclude leaves out hits',
    dockerfile: 'FROM scratch\nCOPY --exclude=*.log src /@/\n',
    change: write('src/x.log', 'x'),
    expected: { COPY: 'hit' },
  },
  {
    title: '16.2: comments and blanks in the Dockerfile hit',
    dockerfile: copy,
    change: rewrite('# a comment\n\nFROM   scratch\n\n# more\nCOPY   src \\\n  # in between\n   /@/\n'),
    expected: { COPY: 'hit' },
  },
  {
    title: '16.2: renaming inside a copied directory misses',
    dockerfile: copy,
    change: directory => renameSync(join(directory, 'src/a'), join(directory, 'src/z')),
    expected: { COPY: 'miss' },
    reasons: ['file src/z: added', 'file src/a: removed'],
  },
  {
    title: '16.2: renaming the source directory misses: its name is in the key',
    dockerfile: copy,
    change: directory => {
      renameSync(join(directory, 'src'), join(directory, 'lib'))
      return 'FROM scratch\nCOPY lib /@/\n'
    },
    expected: { COPY: 'miss' },
  },
  {
    title: '16.2: moving the source elsewhere hits: where it is, is not in the key',
    dockerfile: copy,
    change: directory => {
      renameSync(join(directory, 'src'), join(directory, 'other/src'))
      return 'FROM scratch\nCOPY other/src /@/\n'
    },
    expected: { COPY: 'hit' },
  },
  {
    title: '16.3: ENV, USER, LABEL, CMD and EXPOSE before COPY hit',
    dockerfile: copy,
    change: rewrite('FROM scratch\nENV A=1\nUSER 5:6\nLABEL a=b\nCMD ["x"]\nEXPOSE 1\nSTOPSIGNAL 9\nCOPY src /@/\n'),
    expected: { COPY: 'hit' },
  },
  {
    title: '16.3: LABEL, CMD and the like before RUN hit',
    dockerfile: 'FROM slipway-test/base\nLABEL a=b\nRUN : @\n',
    needs: 'run',
    change: rewrite(
      'FROM slipway-test/base\nLABEL a=c\nCMD ["x"]\nENTRYPOINT ["y"]\nVOLUME /v\nHEALTHCHECK NONE\nONBUILD RUN x\nRUN : @\n',
    ),
    after: ['--label', 'more=1'],
    expected: { RUN: 'hit' },
  },
  {
    title: '16.3: ENV before RUN misses',
    dockerfile: 'FROM slipway-test/base\nENV A=1 B=1\nRUN : @\n',
    needs: 'run',
    change: rewrite('FROM slipway-test/base\nENV A=2 C=1\nRUN : @\n'),
    expected: { RUN: 'miss' },
    reasons: [
      'environment variable A: "1" → "2"',
      'environment variable B: removed: "1"',
      'environment variable C: added: "1"',
    ],
  },
  {
    title: '16.3: USER and WORKDIR enter the key of RUN',
    dockerfile: 'FROM slipway-test/base\nRUN : @\n',
    needs: 'run',
    change: rewrite('FROM slipway-test/base\nUSER 7\nRUN : @\n'),
    expected: { RUN: 'miss' },
    reasons: ['user: "" → "7"'],
  },
  {
    title: '16.4: an ARG that is declared but not used misses in RUN, and hits in COPY',
    dockerfile: 'FROM slipway-test/base\nARG A=1\nCOPY src /@/\nRUN : @\n',
    needs: 'run',
    after: ['--build-arg', 'A=2'],
    expected: { COPY: 'hit', RUN: 'miss' },
    reasons: ['argument A: "1" → "2"'],
  },
  {
    title: '16.4: an ARG behind the RUN hits',
    dockerfile: 'FROM slipway-test/base\nRUN : @\nARG A=1\n',
    needs: 'run',
    after: ['--build-arg', 'A=2'],
    expected: { RUN: 'hit' },
  },
  {
    title: '16.4: an argument that nobody declares, and proxies, hit',
    dockerfile: 'FROM slipway-test/base\nARG A=1\nRUN : @\n',
    needs: 'run',
    before: ['--build-arg', 'HTTP_PROXY=http://one.invalid'],
    after: ['--build-arg', 'UNKNOWN=2', '--build-arg', 'https_proxy=http://two.invalid', '--build-arg', 'NO_PROXY=x'],
    expected: { RUN: 'hit' },
  },
  {
    title: '16.4: a value equal to the default hits',
    dockerfile: 'FROM slipway-test/base\nARG A=1\nRUN : @\n',
    needs: 'run',
    after: ['--build-arg', 'A=1'],
    expected: { RUN: 'hit' },
  },
  {
    title: '16.5: ids of caches that are given, and how they are shared, hit',
    dockerfile: 'FROM slipway-test/base\nRUN --mount=type=cache,target=/c,id=one : @\n',
    needs: 'run',
    change: rewrite(
      'FROM slipway-test/base\nRUN --mount=type=cache,target=/c,id=two,sharing=locked,mode=0700,uid=5 : @\n',
    ),
    expected: { RUN: 'hit' },
  },
  {
    title: '16.5: the target of a cache misses',
    dockerfile: 'FROM slipway-test/base\nRUN --mount=type=cache,target=/c,id=one : @\n',
    needs: 'run',
    change: rewrite('FROM slipway-test/base\nRUN --mount=type=cache,target=/d,id=one : @\n'),
    expected: { RUN: 'miss' },
    reasons: ['mount cache /d'],
  },
  {
    title: '16.5: a namespace of caches hits',
    dockerfile: 'FROM slipway-test/base\nRUN --mount=type=cache,target=/c : @\n',
    needs: 'run',
    after: ['--build-arg', 'BUILDKIT_CACHE_MOUNT_NS=mine'],
    expected: { RUN: 'hit' },
  },
  {
    title: '16.5: the value of a secret hits',
    dockerfile: 'FROM slipway-test/base\nRUN --mount=type=secret,id=s,env=S --mount=type=secret,id=s,target=/s : @\n',
    files: { one: '1', two: '2' },
    needs: 'run',
    before: ['--secret', `id=s,src=${root}/secret-one`],
    after: ['--secret', `id=s,src=${root}/secret-two`],
    expected: { RUN: 'hit' },
  },
  {
    title: '16.5: the mode of a secret misses',
    dockerfile: 'FROM slipway-test/base\nRUN --mount=type=secret,id=s,mode=0400 : @\n',
    needs: 'run',
    change: rewrite('FROM slipway-test/base\nRUN --mount=type=secret,id=s,mode=0440 : @\n'),
    expected: { RUN: 'miss' },
    reasons: ['mount secret /run/secrets/s: its options changed'],
  },
  {
    title: '16.5: the size of a tmpfs misses',
    dockerfile: 'FROM slipway-test/base\nRUN --mount=type=tmpfs,target=/t,size=1m : @\n',
    needs: 'run',
    change: rewrite('FROM slipway-test/base\nRUN --mount=type=tmpfs,target=/t,size=2m : @\n'),
    expected: { RUN: 'miss' },
  },
  {
    title: '16.5: what a bind mount shows misses, what stands beside it hits',
    dockerfile:
      'FROM slipway-test/base AS one\nRUN --mount=source=src,target=/m : one @\nFROM slipway-test/base AS two\nRUN --mount=source=other,target=/m : two @\nFROM two\nCOPY --from=one /etc/passwd /\n',
    needs: 'run',
    change: write('src/sub/b', 'B\n'),
    expected: { 'RUN --mount=source=src': 'miss', 'RUN --mount=source=other': 'hit' },
    reasons: ['file sub/b: content changed (mount bind /m)'],
  },
  {
    title: '16.5, 16.9: a bind mount of a stage that was made anew with equal files hits',
    dockerfile:
      'FROM slipway-test/base AS one\nRUN echo 1 >/f; : A@\nFROM slipway-test/base\nRUN --mount=from=one,source=/f,target=/m : @\n',
    needs: 'run',
    change: rewrite(
      'FROM slipway-test/base AS one\nRUN echo 1 >/f; : B@\nFROM slipway-test/base\nRUN --mount=from=one,source=/f,target=/m : @\n',
    ),
    expected: { 'RUN echo': 'miss', 'RUN --mount': 'hit' },
  },
  {
    title: '16.6: with --chmod the mode of the source hits',
    dockerfile: 'FROM scratch\nCOPY --chmod=0644 src /@/\n',
    change: directory => {
      chmodSync(join(directory, 'src/a'), 0o600)
      chmodSync(join(directory, 'src/sub'), 0o700)
    },
    expected: { COPY: 'hit' },
  },
  {
    title: '16.6: a symbolic --chmod builds on the mode of the source: it misses',
    dockerfile: 'FROM scratch\nCOPY --chmod=u+x src /@/\n',
    change: directory => chmodSync(join(directory, 'src/a'), 0o600),
    expected: { COPY: 'miss' },
  },
  {
    title: '16.6: another mode of a directory in a copied directory misses',
    dockerfile: copy,
    change: directory => chmodSync(join(directory, 'src/sub'), 0o700),
    expected: { COPY: 'miss' },
    reasons: ['file src/sub: mode 0755 → 0700'],
  },
  {
    title: '16.6: the mode of the copied directory itself reaches no image: it hits',
    dockerfile: copy,
    change: directory => chmodSync(join(directory, 'src'), 0o700),
    expected: { COPY: 'hit' },
  },
  {
    title: '16.7: COPY --from hits when the stage was made anew with equal files',
    dockerfile:
      'FROM slipway-test/base AS one\nRUN mkdir /o; echo 1 >/o/f; : A@\nFROM scratch\nCOPY --from=one /o /@/\n',
    needs: 'run',
    change: rewrite(
      'FROM slipway-test/base AS one\nRUN mkdir /o; echo 1 >/o/f; : B@\nFROM scratch\nCOPY --from=one /o /@/\n',
    ),
    expected: { RUN: 'miss', 'COPY --from': 'hit' },
    reasons: ['command: '],
  },
  {
    title: '16.7: COPY --from misses for what it takes only',
    dockerfile:
      'FROM scratch AS one\nCOPY src/a /one@/\nCOPY other/c /two@/\nFROM scratch\nCOPY --from=one /one@ /x@/\nCOPY --from=one /two@ /y@/\n',
    change: write('other/c', 'C\n'),
    expected: {
      'COPY src/a': 'hit',
      'COPY other/c': 'miss',
      'COPY --from=one /one': 'hit',
      'COPY --from=one /two': 'miss',
    },
    reasons: ['c: content changed'],
  },
  {
    title: '16.7: COPY --link hits after a miss below it',
    dockerfile: 'FROM scratch\nCOPY src /@/\nCOPY --link other /@-other/\n',
    change: write('src/a', 'A\n'),
    expected: { 'COPY src': 'miss', 'COPY --link': 'hit' },
  },
  {
    title: 'what stands on a COPY --link misses when something below it changed',
    dockerfile: 'FROM slipway-test/base\nCOPY src /@/\nCOPY --link other /@-other/\nRUN cat /@/a > /@/all\n',
    needs: 'run',
    change: write('src/a', 'A\n'),
    expected: { 'COPY src': 'miss', 'COPY --link': 'hit', RUN: 'miss' },
  },
  {
    title: '16.8: --no-cache makes everything anew',
    dockerfile: copy,
    after: ['--no-cache'],
    expected: { COPY: 'miss' },
    reasons: ['--no-cache'],
  },
  {
    title: '16.8: --no-cache-filter makes the named stage anew; equal output still hits',
    dockerfile: 'FROM scratch AS one\nCOPY src /@/\nFROM scratch AS two\nCOPY --from=one /@ /x@/\n',
    after: ['--no-cache-filter', 'one'],
    expected: { 'COPY src': 'miss', 'COPY --from': 'hit' },
  },
  {
    title: '16.1: the target of a symbolic link, and whether it is one, misses',
    dockerfile: copy,
    change: directory => {
      rmSync(join(directory, 'src/a'))
      mkdirSync(join(directory, 'src/a'))
    },
    expected: { COPY: 'miss' },
    reasons: ['file src/a: file → directory'],
  },
  {
    title: 'the owner that --chown names is looked up: another number misses',
    dockerfile: 'FROM scratch\nCOPY other/c /etc/passwd\nCOPY --chown=app --link=false src /@/\n',
    files: { ...files, 'other/c': 'app:x:5:6::/:\n' },
    change: write('other/c', 'app:x:7:8::/:\n'),
    expected: { 'COPY --chown': 'miss' },
    reasons: ['owner that --chown names: "5:6" → "7:8"'],
  },
]

describe('section 16 of the language page', () => {
  beforeAll(() => {
    writeFileSync(join(root, 'secret-one'), 'first value')
    writeFileSync(join(root, 'secret-two'), 'second value')
  })

  for (const each of cases) {
    const isMissing = (each.needs === 'run' && !canRun) || (each.needs === 'root' && !isRoot)
    test.skipIf(isMissing)(each.title, () => buildTwice(each))
  }
})

async function buildTwice({ dockerfile, files: given = files, change, ...each }: Case): Promise<void> {
  const { before = [], after = [], expected, reasons = [] } = each
  const directory = scenario(dockerfile, given)
  const first = await build(directory, ...before)
  expect(first.steps.filter(({ outcome }) => outcome === 'hit')).toEqual([])
  const changed = change?.(directory)
  if (typeof changed === 'string') writeDockerfile(directory, changed)
  const predicted = await predict(directory, ...after)
  const second = await build(directory, ...after)
  const found = Object.keys(expected).map(start => [start, step(second, start)] as const)
  expect(Object.fromEntries(found.map(([start, { outcome }]) => [start, outcome])), JSON.stringify(second)).toEqual(
    expected,
  )
  const told = second.steps.flatMap(({ reasons: all }) => all.map(({ text }) => text)).join('\n')
  for (const reason of reasons) expect(told).toContain(reason)
  for (const { text, outcome, reasons: why } of second.steps) {
    expect([outcome, 'unknown'], text).toContain(predicted.get(text))
    expect([text, outcome, why.length > 0]).toEqual([text, outcome, outcome === 'miss'])
  }
  // Nothing that hits gives another image, unless the Dockerfile says so.
  if (second.steps.every(({ outcome }) => outcome === 'hit') && changed === undefined && after.length === 0)
    expect(second.image).toBe(first.image)
}

describe('explanations', () => {
  const reasonsOf = ({ steps }: Built): readonly string[] =>
    steps.flatMap(({ reasons }) => reasons.map(({ text }) => text))

  test('nothing is known before the first build', async () => {
    const built = await build(scenario(copy, files))
    expect(reasonsOf(built)).toEqual(['no earlier build of stage "stage-0" is known'])
  })

  test('another base image says so with both digests', async () => {
    const base = scenario(copy, files)
    const directory = scenario('FROM base-of-@\nCOPY other /@/\n', files)
    const tag = ['-t', `base-of-${basename(directory)}`]
    const one = await build(base, ...tag)
    await build(directory)
    writeFileSync(join(base, 'src/a'), 'A\n')
    const two = await build(base, ...tag)
    const text = `base image base-of-${basename(directory)}:latest changed: ${one.image.slice(0, 19)} → ${two.image.slice(0, 19)}`
    expect(reasonsOf(await build(directory))).toEqual([text])
  })

  test('a step that is new, and what stands behind it', async () => {
    const directory = scenario('FROM scratch\nCOPY src /@/\nCOPY other /@-other/\n', files)
    await build(directory)
    writeDockerfile(directory, 'FROM scratch\nCOPY src /@/\nCOPY src /@-more/\nCOPY other /@-other/\n')
    const { steps } = await build(directory)
    const name = basename(directory)
    expect(steps.map(({ reasons }) => reasons.map(({ text }) => text))).toEqual([
      [],
      ['the last build did not have this step'],
      [`what it builds on changed: COPY src /${name}-more/`],
    ])
  })

  test('an instruction that was written anew is compared with the one before', async () => {
    const directory = scenario('FROM scratch\nCOPY src /@/\n', files)
    await build(directory)
    writeDockerfile(directory, 'FROM scratch\nCOPY --chmod=0600 src /@/below\n')
    const name = basename(directory)
    expect(reasonsOf(await build(directory))).toEqual(
      expect.arrayContaining([
        `destination: "/${name}" → "/${name}/below"`,
        'chmod: added: {"kind":"octal","mode":384}',
      ]),
    )
  })

  test('many files: the first ones and a number', async () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`src/${i + 100}`, 'x']))
    const directory = scenario(copy, many)
    await build(directory)
    for (const path of Object.keys(many)) writeFileSync(join(directory, path), 'y')
    const reasons = reasonsOf(await build(directory))
    expect(reasons).toHaveLength(11)
    expect(reasons[0]).toBe('file src/100: content changed')
    expect(reasons.at(-1)).toBe('and 20 more files')
  })

  test.skipIf(!canRun)('a build that failed counts as the last one', async () => {
    const directory = scenario('FROM slipway-test/base\nCOPY src /@/\nRUN cat /@/new\n', files)
    await expect(build(directory)).rejects.toThrow(/new/)
    writeFileSync(join(directory, 'src/new'), 'x')
    expect(reasonsOf(await build(directory))).toEqual([
      'file src/new: added',
      `what it builds on changed: COPY src /${basename(directory)}/`,
    ])
  })

  test('what was removed from the store says so', async () => {
    const directory = scenario(copy, files)
    await build(directory)
    await slipwayOk(['prune', '--force'], { root })
    expect(reasonsOf(await build(directory))).toEqual(['nothing changed, but the result is no longer in the store'])
  })

  test('plain text says it below the step', async () => {
    const directory = scenario(copy, files)
    await build(directory)
    writeFileSync(join(directory, 'src/a'), 'A\n')
    const { stderr } = await slipwayOk(['build', '--explain', '--progress', 'plain', directory], { root })
    expect(stderr).toContain('#2 cache miss: file src/a: content changed\n')
    const again = await slipwayOk(['build', '--explain', '--progress', 'plain', directory], { root })
    expect(again.stderr).not.toContain('miss')
  })
})

describe('the store', () => {
  test('layers whose files somebody removed are made again', async () => {
    const folders = ['blobs/sha256', 'entries'].map(folder => join(root, 'state', folder))
    const list = (): string[] => folders.flatMap(folder => readdirSync(folder).map(name => join(folder, name)))
    const before = new Set(list())
    const directory = scenario(copy, { ...files, 'src/a': 'to be removed\n' })
    const first = await build(directory)
    for (const path of list()) if (!before.has(path)) rmSync(path)
    const second = await build(directory)
    expect(second.steps.map(({ outcome }) => outcome)).toEqual(['miss'])
    expect(second.image).toBe(first.image)
  })

  test.skipIf(!canRun)('a base whose directory somebody removed is unpacked again', async () => {
    await build(scenario('FROM slipway-test/base\nRUN : @ before\n'))
    rmSync(join(root, 'state/layers'), { recursive: true, force: true })
    expect((await build(scenario('FROM slipway-test/base\nRUN : @ after\n'))).steps).toHaveLength(1)
  })

  test.skipIf(!canRun)(
    '16.8: two builds that run the same command at once run it once',
    async () => {
      const command =
        'RUN --mount=type=cache,target=/c,id=@ echo ran >> /c/runs; sleep 2; cat /c/runs > /runs; date +%N >> /runs'
      const directories = [1, 2].map(() => scenario('FROM slipway-test/base\n', files))
      for (const directory of directories)
        writeFileSync(join(directory, 'Dockerfile'), `FROM slipway-test/base\n${command.replace('@', 'once')}\n`)
      const [one, two] = await Promise.all(directories.map(directory => build(directory)))
      expect(one?.image).toBe(two?.image)
      expect([one, two].flatMap(built => built?.steps.map(({ outcome }) => String(outcome)) ?? []).toSorted()).toEqual([
        'hit',
        'miss',
      ])
    },
    60_000,
  )

  test.skipIf(!canRun)(
    '16.8: two stages of one build with the same command run it once',
    async () => {
      const run = 'RUN sleep 1; date +%N > /@'
      const directory = scenario(
        `FROM slipway-test/base AS one\n${run}\nFROM slipway-test/base AS two\n${run}\nFROM scratch\nCOPY --from=one /@ /@-one\nCOPY --from=two /@ /@-two\n`,
      )
      const { steps } = await build(directory)
      const runs = steps.filter(({ text }) => text.startsWith('RUN'))
      expect(runs.map(({ outcome }) => outcome).toSorted()).toEqual(['hit', 'miss'])
    },
    60_000,
  )
})
