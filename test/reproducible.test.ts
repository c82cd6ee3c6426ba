import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canSandbox } from './host.ts'
import { readOciArchive } from './oracle/image-archive.ts'
import { readArchive } from './oracle/tar-archive.ts'
import { findBusybox } from './oracle/test-base.ts'
import { type Ended, importTestBase, slipway, slipwayOk } from './slipway.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-reproducible-'))
const canRun = canSandbox && findBusybox().runs
const epoch = 1_600_000_000
let count = 0

beforeAll(async () => {
  await importTestBase(root)
  await slipwayOk(['save', '-o', join(root, 'base.tar'), 'slipway-test/base'], { root })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A context whose files are made in the order given, dated 2021. */
function makeContext(dockerfile: string, names: readonly string[] = []): string {
  const context = join(root, `context-${count++}`)
  mkdirSync(join(context, 'files'), { recursive: true })
  writeFileSync(join(context, 'Dockerfile'), dockerfile)
  for (const name of names) {
    writeFileSync(join(context, 'files', name), `${name}\n`)
    chmodSync(join(context, 'files', name), 0o644)
    utimesSync(join(context, 'files', name), 1_610_000_000, 1_610_000_000)
  }
  chmodSync(join(context, 'files'), 0o755)
  utimesSync(join(context, 'files'), 1_610_000_000, 1_610_000_000)
  return context
}

/** The bytes of `type=oci`, built in a store of its own. */
async function archiveOf(
  context: string,
  { args = [], umask = '022', env = {} }: { args?: readonly string[]; umask?: string; env?: Record<string, string> },
): Promise<Buffer> {
  const own = mkdtempSync(join(root, 'store-'))
  await slipwayOk(['load', '-i', join(root, 'base.tar')], { root: own })
  const path = join(own, 'out.tar')
  const prefix = ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh']
  await slipwayOk(['build', ...args, '-o', `type=oci,dest=${path}`, context], { root: own, prefix, env })
  return readFileSync(path)
}

describe('the same inputs give the same bytes', () => {
  const names = ['b', 'a', 'Z', 'ä', 'c.d', 'c', '0']
  const dockerfile = `FROM slipway-test/base
WORKDIR /work/deep
COPY files /copied
COPY <<END /inline
text
END
COPY --chown=7:8 --chmod=u=rw,go= files/a /made/here
`

  test('15.5 in any store, under any umask, whatever the order of directory entries', async () => {
    const [one, two] = [makeContext(dockerfile, names), makeContext(dockerfile, names.toReversed())]
    const first = await archiveOf(one, {})
    expect(first.equals(await archiveOf(two, { umask: '077' }))).toBe(true)
    expect(first.equals(await archiveOf(two, { umask: '000', args: ['--no-cache'] }))).toBe(true)
  })

  test('15.4 also of RUN, with SOURCE_DATE_EPOCH', async ({ skip }) => {
    skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
    const context = makeContext(
      `${dockerfile}RUN rm -r /opt/tool && mkdir /ran && echo x >/ran/y && ln /ran/y /ran/z\n`,
      names,
    )
    const env = { SOURCE_DATE_EPOCH: String(epoch) }
    const first = await archiveOf(context, { env })
    await new Promise(resolve => setTimeout(resolve, 1100))
    expect(
      first.equals(await archiveOf(context, { umask: '077', args: ['--build-arg', `SOURCE_DATE_EPOCH=${epoch}`] })),
    ).toBe(true)
    expect(first.equals(await archiveOf(context, {}))).toBe(false)
  })
})

test('10.1 a layer is as old as the newest file in it, one without files as the layer below it', async () => {
  const base = await slipwayOk(['inspect', 'slipway-test/base'], { root })
  const below = (JSON.parse(base.stdout) as { Created: string }[])[0]?.Created ?? ''
  const context = makeContext(
    'FROM slipway-test/base AS one\nWORKDIR /opt\nWORKDIR /new\nFROM scratch\nCOPY files /\n',
    ['a'],
  )
  const times = async (...args: readonly string[]): Promise<(string | undefined)[]> => {
    const path = join(context, 'out.tar')
    await slipwayOk(['build', ...args, '-o', `type=oci,dest=${path}`, context], { root })
    const { config } = readOciArchive(readFileSync(path))
    return (config['history'] as { created?: string }[]).map(({ created }) => created?.replace(/(\.\d+)?Z$/, ''))
  }
  const seconds = below.replace(/(\.\d+)?Z$/, '')
  expect(await times('--target', 'one')).toEqual([seconds, seconds, seconds])
  expect(await times()).toEqual(['2021-01-07T06:13:20'])
})

describe('15.4 SOURCE_DATE_EPOCH', () => {
  const build = async (dockerfile: string, ...args: readonly string[]) => {
    const context = makeContext(dockerfile, ['new', 'old'])
    utimesSync(join(context, 'files/old'), 1_500_000_000, 1_500_000_000)
    const path = join(context, 'out.tar')
    await slipwayOk(['build', ...args, '-o', `type=oci,dest=${path}`, context], { root })
    const bytes = readFileSync(path)
    const index =
      readArchive(bytes)
        .find(each => each.path === 'index.json')
        ?.body.toString() ?? ''
    const { config, layers } = readOciArchive(bytes)
    return { config, index, layers: layers.map(readArchive) }
  }

  test('cuts off the times of new layers, of the configuration and of the index', async () => {
    const dockerfile = `ARG SOURCE_DATE_EPOCH=${epoch}\nFROM slipway-test/base\nCOPY files /files/\nLABEL a=b\n`
    const { config, index, layers } = await build(dockerfile)
    expect(layers.at(-1)?.map(({ path, mtime }) => [path, mtime])).toEqual([
      ['files', epoch],
      ['files/new', epoch],
      ['files/old', 1_500_000_000],
    ])
    expect(config).toMatchObject({ created: '2020-09-13T12:26:40.000Z' })
    const history = config['history'] as { created: string; created_by: string }[]
    expect(history.slice(-2).map(({ created }) => created)).toEqual(Array(2).fill('2020-09-13T12:26:40.000Z'))
    expect(index).toContain('"org.opencontainers.image.created":"2020-09-13T12:26:40Z"')
  })

  test('base layers keep theirs', async () => {
    const plain = await build('FROM slipway-test/base\nCOPY files /files/\n')
    const cut = await build('FROM slipway-test/base\nCOPY files /files/\n', '--build-arg', 'SOURCE_DATE_EPOCH=1')
    expect(cut.layers[0]).toEqual(plain.layers[0])
    expect(cut.layers[0]?.some(({ mtime }) => mtime > 1)).toBe(true)
    expect(new Set(cut.layers[1]?.map(({ mtime }) => mtime))).toEqual(new Set([1]))
  })

  test('what type=local writes is cut off, too', async () => {
    const context = makeContext('FROM scratch\nCOPY files /files/\n', ['new'])
    const out = join(context, 'out')
    await slipwayOk(['build', '-o', `type=tar,dest=${out}.tar`, '-o', out, context], {
      root,
      env: { SOURCE_DATE_EPOCH: String(epoch) },
    })
    const times = readArchive(readFileSync(`${out}.tar`))
      .filter(({ path }) => path.startsWith('files'))
      .map(({ mtime }) => mtime)
    expect(times).toEqual([epoch, epoch])
    expect(readdirSync(join(out, 'files'))).toEqual(['new'])
  })

  test('a new epoch makes no step run again', async () => {
    const context = makeContext('FROM slipway-test/base\nCOPY files /f/\nWORKDIR /w\n', ['new'])
    const steps = async (value: number) => {
      const metadata = join(context, 'metadata.json')
      await slipwayOk(['build', '--build-arg', `SOURCE_DATE_EPOCH=${value}`, '--metadata-file', metadata, context], {
        root,
      })
      const { 'slipway.steps': all } = JSON.parse(readFileSync(metadata, 'utf8')) as {
        'slipway.steps': { cached: boolean }[]
      }
      return all.map(({ cached }) => cached)
    }
    expect(await steps(5)).toEqual([false, false])
    expect(await steps(6)).toEqual([true, true])
  })

  test.each([
    ['12:30', 'SOURCE_DATE_EPOCH is "12:30", not a number of seconds since 1970'],
    ['-1', 'SOURCE_DATE_EPOCH is "-1", not a number of seconds since 1970'],
    ['contxt', 'neither a number of seconds since 1970 nor the name of a context or stage'],
    ['contxt', 'did you mean "context"?'],
    ['named', 'the stage "named", which has no date'],
    ['image', 'an image has no date of its sources'],
  ])('%s is an error', async (value, said) => {
    const context = makeContext('FROM scratch AS named\nWORKDIR /w\n')
    const image = ['--build-context', 'image=docker-image://slipway-test/base']
    const { code, stderr } = await slipway(['build', ...image, context], { root, env: { SOURCE_DATE_EPOCH: value } })
    expect(stderr).toContain(said)
    expect(code).toBe(1)
  })

  test('a directory has no date: nothing is cut off, and a warning says so', async () => {
    const context = makeContext('ARG SOURCE_DATE_EPOCH=context\nFROM scratch\nCOPY files /files/\n', ['new'])
    const out = join(context, 'out.tar')
    const { stderr } = await slipwayOk(['build', '--progress', 'plain', '-o', `type=oci,dest=${out}`, context], {
      root,
    })
    expect(stderr).toContain('SOURCE_DATE_EPOCH is "context", which has no date here')
    expect(JSON.stringify(readArchive(readFileSync(out)).map(({ body }) => body.toString()))).not.toContain(
      'org.opencontainers.image.created',
    )
  })
})

describe('slipway build --verify', () => {
  const verify = (dockerfile: string, ...args: readonly string[]): Promise<Ended> =>
    slipway(['build', '--verify', ...args, makeContext(dockerfile, ['a'])], { root })

  test('says so when both builds gave the same', async () => {
    const { code, stderr } = await verify('FROM slipway-test/base\nCOPY files /f/\nWORKDIR /w/x\n', '-t', 'verified')
    expect(stderr).toContain('reproducible: two builds without cache gave the same image\n')
    expect(stderr).toContain('as verified:latest')
    expect(code).toBe(0)
  })

  test.each(['--print-plan', '--check', '--call=outline'])('%s builds nothing to verify', async flag => {
    const { code, stderr } = await verify('FROM scratch\n', flag)
    expect(stderr).toContain('builds nothing that could be verified')
    expect(code).toBe(2)
  })

  test('with SOURCE_DATE_EPOCH also for RUN', async ({ skip }) => {
    skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
    const dockerfile = 'FROM slipway-test/base\nRUN mkdir /x && echo y >/x/y\n'
    const { code, stderr } = await verify(dockerfile, '--build-arg', `SOURCE_DATE_EPOCH=${epoch}`)
    expect(stderr).toContain('reproducible: ')
    expect(code).toBe(0)
  })

  test.for<readonly [what: string, run: string, says: string | RegExp]>([
    [
      'a file',
      'RUN mkdir /x && cat /proc/sys/kernel/random/uuid >/x/id && echo >/x/z',
      '"/x/id" differs in its content',
    ],
    [
      'a name',
      'RUN mkdir /x && touch /x/$(cat /proc/sys/kernel/random/uuid)',
      /"\/x\/[0-9a-f-]{36}" is only in one of two builds/,
    ],
    ['a link', 'RUN ln -s $(cat /proc/sys/kernel/random/uuid) /x', '"/x" differs in its link'],
  ])('names %s that differs, and the line', async ([, run, says], { skip }) => {
    skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
    const dockerfile = `FROM slipway-test/base\nCOPY files /f/\n\n${run}\nRUN echo later >/later\n`
    const { code, stderr } = await verify(dockerfile, '--build-arg', `SOURCE_DATE_EPOCH=${epoch}`, '-t', 'not-this')
    expect(stderr).toMatch(/the build is not reproducible: /)
    expect(stderr).toMatch(says)
    expect(stderr).toMatch(/Dockerfile:4:1\b/)
    expect(stderr).toMatch(/first build: .*\n.*second build: /)
    expect(code).toBe(1)
    expect((await slipwayOk(['images'], { root })).stdout).not.toContain('not-this')
  })

  test('without SOURCE_DATE_EPOCH times differ, which the hint names', async ({ skip }) => {
    skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
    const { code, stderr } = await verify('FROM slipway-test/base\nRUN echo y >/y\n')
    expect(stderr).toContain('"/y" differs in its time')
    expect(stderr).toMatch(/hint: .*SOURCE_DATE_EPOCH/)
    expect(code).toBe(1)
    const nothing = await verify('FROM slipway-test/base\nRUN true\n')
    expect(nothing.stderr).toContain('the configuration differs in "created"')
    expect(nothing.code).toBe(1)
  })
})
