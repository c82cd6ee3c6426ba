import { createHash } from 'node:crypto'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { canSandbox, isRoot } from '../host.ts'
import { type ArchivedImage, readOciArchive } from '../oracle/image-archive.ts'
import { mergeLayers } from '../oracle/merged-tree.ts'
import { readArchive, writeArchive } from '../oracle/tar-archive.ts'
import { findBusybox } from '../oracle/test-base.ts'
import { importTestBase, slipway, slipwayOk } from '../slipway.ts'

/** Checkboxes of the language page that only a build through the command line can prove. */

const root = mkdtempSync(join(tmpdir(), 'slipway-language-'))
const canRun = canSandbox && findBusybox().runs
let count = 0

beforeAll(() => importTestBase(root).then(() => {}))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function layOut(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = join(root, `context-${count++}`)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return folder
}

async function build(context: string, ...args: readonly string[]): Promise<ArchivedImage & { archive: Buffer }> {
  const path = join(root, `image-${count++}.tar`)
  await slipwayOk(['build', '--progress', 'plain', '-o', `type=oci,dest=${path}`, ...args, context], { root })
  const archive = readFileSync(path)
  return { ...readOciArchive(archive), archive }
}

const namesIn = (image: ArchivedImage): string[] => [...mergeLayers(image.layers).keys()].toSorted()

test('1.1 dockerfile is taken where there is no Dockerfile, and no other name', async () => {
  const lower = await build(layOut({ dockerfile: 'FROM scratch\nLABEL l=lower\n' }))
  expect(lower.config['config']).toMatchObject({ Labels: { l: 'lower' } })
  const both = await build(layOut({ dockerfile: 'FROM scratch\n', Dockerfile: 'FROM scratch\nLABEL l=upper\n' }))
  expect(both.config['config']).toMatchObject({ Labels: { l: 'upper' } })
  const named = layOut({ 'Other.file': 'FROM scratch\nLABEL l=other\n' })
  const other = await build(named, '-f', join(named, 'Other.file'))
  expect(other.config['config']).toMatchObject({ Labels: { l: 'other' } })
  expect((await slipway(['build', layOut({ DOCKERFILE: 'FROM scratch\n' })], { root })).code).toBe(1)
})

test('5.10 another body of a heredoc is another RUN', async ({ skip }) => {
  skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
  const textOf = async (word: string): Promise<string | undefined> => {
    const image = await build(layOut({ Dockerfile: `FROM slipway-test/base\nRUN <<EOF\necho ${word} > /said\nEOF\n` }))
    return mergeLayers(image.layers).get('/said')?.text
  }
  expect(await textOf('one')).toBe('one\n')
  expect(await textOf('two')).toBe('two\n')
})

test('7.12 steps are titled with their stage: its name, else its number; the only stage of a file has none', async () => {
  const titles = async (text: string): Promise<string[]> => {
    const context = layOut({ Dockerfile: text, a: 'a' })
    const { stderr } = await slipwayOk(['build', '--progress', 'plain', context], { root })
    return [...stderr.matchAll(/^#\d+ \[([^\]]*)\] (?:FROM|COPY)/gm)].map(match => match[1] ?? '')
  }
  const several = await titles(
    'FROM scratch\nCOPY a /b\nFROM scratch AS named\nCOPY --from=0 /b /c\nFROM named\nCOPY a /d\n',
  )
  expect(new Set(several.map(title => title.split(' ')[0]))).toEqual(new Set(['stage-0', 'named', 'stage-2']))
  expect((await titles('FROM scratch\nCOPY a /only\n')).every(title => /^\d+\/\d+$/.test(title))).toBe(true)
})

test('18 RUN for Windows is refused at its place, COPY is built', async () => {
  const run = layOut({ Dockerfile: 'FROM scratch\nCOPY a /\nRUN dir\n', a: 'a' })
  const ended = await slipway(['build', '--platform', 'windows/amd64', run], { root })
  expect(ended.code).toBe(1)
  expect(ended.stderr).toMatch(/RUN cannot be executed for windows[^]*Dockerfile:3:1/)
  const image = await build(layOut({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'a' }), '--platform', 'windows/amd64')
  expect(image.config['os']).toBe('windows')
  expect(namesIn(image)).toEqual(['/', '/a'])
})

test('9.12 WORKDIR of a user that is a number has that number as group, too', async () => {
  const tree = mergeLayers((await build(layOut({ Dockerfile: 'FROM scratch\nUSER 1000\nWORKDIR /w/x\n' }))).layers)
  expect([tree.get('/w'), tree.get('/w/x')]).toMatchObject([
    { mode: 0o755, uid: 1000, gid: 1000 },
    { mode: 0o755, uid: 1000, gid: 1000 },
  ])
})

test('10.3 what another builder wrote into the history is kept as it is', async () => {
  const history = [
    { created: '2020-01-02T03:04:05Z', created_by: '/bin/sh -c #(nop) ADD file:0123 in / ' },
    {
      created: '2020-01-02T03:04:06Z',
      created_by: '/bin/sh -c #(nop)  CMD ["sh"]',
      comment: 'FROM 0123',
      empty_layer: true,
    },
  ]
  const member = (path: string, body: Buffer) =>
    ({ path, kind: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1, body }) as const
  const layer = writeArchive([member('f', Buffer.from('text'))])
  const digest = createHash('sha256').update(layer).digest('hex')
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
      history,
    }),
  )
  const manifest = [{ Config: 'config.json', RepoTags: ['foreign:1'], Layers: ['layer.tar'] }]
  const archive = writeArchive([
    member('config.json', config),
    member('layer.tar', layer),
    member('manifest.json', Buffer.from(JSON.stringify(manifest))),
  ])
  await slipwayOk(['load'], { root, input: archive })
  const image = await build(layOut({ Dockerfile: 'FROM foreign:1\nLABEL a=1\n' }), '--platform', 'linux/amd64')
  expect(image.config['history']).toEqual([
    ...history,
    {
      created: expect.any(String) as string,
      created_by: 'LABEL a=1',
      comment: 'buildkit.dockerfile.v0',
      empty_layer: true,
    },
  ])
})

test('10.4 an image without layers has empty lists', async () => {
  const image = await build(layOut({ Dockerfile: 'FROM scratch\nLABEL a=1\n' }))
  const manifest = readArchive(image.archive)
    .filter(({ path }) => path.startsWith('blobs/'))
    .map(({ body }) => body.toString())
    .find(text => text.startsWith('{') && text.includes('"layers":'))
  expect(JSON.parse(manifest ?? '{}')).toMatchObject({ layers: [] })
  expect(image.config['rootfs']).toEqual({ type: 'layers', diff_ids: [] })
})

test('10.5 archives have OCI media types, or those of Docker for type=docker', async () => {
  const context = layOut({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'a' })
  const { archive } = await build(context)
  const texts = readArchive(archive).map(({ body }) => body.toString())
  expect(texts.some(text => text.includes('application/vnd.oci.image.manifest.v1+json'))).toBe(true)
  const path = join(root, 'docker.tar')
  await slipwayOk(['build', '-o', `type=docker,dest=${path}`, context], { root })
  expect(readArchive(readFileSync(path)).map(({ path: name }) => name)).toContain('manifest.json')
})

test('11.7 a failed RUN says its exit code, its last words and its place; a signal is told apart', async ({ skip }) => {
  skip(!canRun, 'RUN needs root, mount namespaces and a static busybox')
  const failure = async (command: string): Promise<string> => {
    const context = layOut({ Dockerfile: `FROM slipway-test/base\nRUN ${command}\n` })
    const ended = await slipway(['build', '--progress', 'quiet', context], { root })
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/Dockerfile:2:1/)
    return ended.stderr
  }
  const code = await failure('echo last words >&2; exit 42')
  expect(code).toMatch(/\b42\b/)
  expect(code).toMatch(/^.*last words$/m)
  expect(await failure('sleep 9 & kill -9 $!; wait $!')).toMatch(/SIGKILL|signal 9|killed/i)
})

test('12.23 only what is copied is read', async ({ skip }) => {
  skip(!isRoot, 'needs root to become an ordinary user')
  const home = mkdtempSync(join(tmpdir(), 'slipway-language-user-'))
  try {
    const context = join(home, 'context')
    mkdirSync(join(context, 'forbidden'), { recursive: true })
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY taken/* /\n')
    mkdirSync(join(context, 'taken'))
    writeFileSync(join(context, 'taken/a'), 'a')
    writeFileSync(join(context, 'forbidden/b'), 'b')
    chmodSync(join(context, 'forbidden'), 0o000)
    const prefix = ['sh', '-c', 'chown 54321 "$0" && exec "$@"', home, 'setpriv', '--reuid=54321', '--clear-groups']
    await slipwayOk(['build', context], { root: home, prefix })
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
})

test('13.8 a context from an archive is not filtered, a named directory has its own ignore file', async () => {
  const member = (path: string, text: string) => ({
    path,
    kind: 'file' as const,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 1,
    body: Buffer.from(text),
  })
  const archive = writeArchive([
    member('Dockerfile', 'FROM scratch\nCOPY . /\n'),
    member('.dockerignore', 'hidden\n'),
    member('hidden', 'h'),
  ])
  const path = join(root, 'from-archive.tar')
  await slipwayOk(['build', '-o', `type=oci,dest=${path}`, '-'], { root, input: archive })
  expect(namesIn(readOciArchive(readFileSync(path)))).toContain('/hidden')

  const main = layOut({ Dockerfile: 'FROM scratch\nCOPY --from=other . /\n', '.dockerignore': 'kept\n' })
  const other = layOut({ kept: 'k', gone: 'g', '.dockerignore': 'gone\n.dockerignore\n' })
  expect(namesIn(await build(main, '--build-context', `other=${other}`))).toEqual(['/', '/kept'])
})

test('14.4 files of the context belong to root and keep their mode', async ({ skip }) => {
  skip(!isRoot, 'needs root to give files away')
  const context = layOut({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'a' })
  chmodSync(join(context, 'a'), 0o4751)
  chownSync(join(context, 'a'), 123, 456)
  chmodSync(join(context, 'a'), 0o4751)
  const image = await build(context)
  expect(mergeLayers(image.layers).get('/a')).toMatchObject({ mode: 0o4751, uid: 0, gid: 0 })
})
