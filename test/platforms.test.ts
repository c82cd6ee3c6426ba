import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canSandbox, hasTool } from './host.ts'
import { readArchive, writeArchive } from './oracle/tar-archive.ts'
import { type Ended, importTestBase, slipway, slipwayOk } from './slipway.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-platforms-'))
const context = join(root, 'context')
const architecture = process.arch === 'x64' ? 'amd64' : process.arch
const other = architecture === 'arm64' ? 'amd64' : 'arm64'
const both = `linux/${architecture},linux/${other}`

beforeAll(async () => {
  await importTestBase(root)
  mkdirSync(context)
  writeFileSync(join(context, 'one.txt'), 'one\n')
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM --platform=$BUILDPLATFORM slipway-test/base AS build
ARG TARGETARCH
COPY <<END /made-for
$TARGETARCH
END
FROM scratch
COPY one.txt /
COPY --from=build /made-for /
`,
  )
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly platform?: { readonly architecture: string }
  readonly annotations?: Readonly<Record<string, string>>
  readonly manifests?: readonly Descriptor[]
}

function build(...args: readonly string[]): Promise<Ended> {
  return slipwayOk(['build', '--progress', 'plain', ...args, context], { root })
}

/** `index.json` of an archive, and the JSON that its first entry names. */
function readIndex(archive: string): { index: Descriptor; first: Descriptor } {
  const files = new Map(readArchive(readFileSync(archive)).map(({ path, body }) => [path, body.toString()]))
  const index = JSON.parse(files.get('index.json') ?? '') as Descriptor
  const digest = index.manifests?.[0]?.digest ?? ''
  return { index, first: JSON.parse(files.get(`blobs/${digest.replace(':', '/')}`) ?? '') as Descriptor }
}

describe('15.1 several platforms', () => {
  const archive = join(root, 'both.tar')
  beforeAll(() => build('--platform', both, '-t', 'some/app:2', '-o', `type=oci,dest=${archive}`).then(() => {}))

  test('type=oci writes an index that has the names', () => {
    const { index, first } = readIndex(archive)
    expect(index.manifests).toHaveLength(1)
    expect(index.manifests?.[0]).toMatchObject({
      mediaType: 'application/vnd.oci.image.index.v1+json',
      annotations: { 'io.containerd.image.name': 'docker.io/some/app:2', 'org.opencontainers.image.ref.name': '2' },
    })
    expect(first.manifests?.map(({ platform }) => platform?.architecture)).toEqual([architecture, other])
  })

  test.for([architecture, other])('skopeo takes the one for %s', (arch, { skip }) => {
    skip(!hasTool('skopeo'), 'skopeo is not installed')
    const to = join(root, `skopeo-${arch}`)
    const policy = ['--insecure-policy', '--override-arch', arch]
    execFileSync('skopeo', ['copy', '-q', ...policy, `oci-archive:${archive}`, `dir:${to}`])
    const manifest = JSON.parse(readFileSync(join(to, 'manifest.json'), 'utf8')) as { config: Descriptor }
    const config: unknown = JSON.parse(readFileSync(join(to, manifest.config.digest.slice(7)), 'utf8'))
    expect(config).toMatchObject({ architecture: arch })
  })

  test('and "slipway load" takes the one for this machine', async () => {
    const own = mkdtempSync(join(root, 'load-'))
    await slipwayOk(['load', '-i', archive], { root: own })
    const { stdout } = await slipwayOk(['inspect', 'some/app:2'], { root: own })
    expect(stdout).toContain(`"Architecture": "${architecture}"`)
  })

  test('type=tar and type=local have a directory for each', async () => {
    const [tar, local] = [join(root, 'both-files.tar'), join(root, 'both-files')]
    await build('--platform', both, '-o', `type=tar,dest=${tar}`, '-o', local)
    const made = readArchive(readFileSync(tar)).filter(({ kind }) => kind === 'file')
    expect(made.map(({ path, body }) => [path, body.toString()])).toEqual(
      [architecture, other].flatMap(arch => [
        [`linux_${arch}/made-for`, `${arch}\n`],
        [`linux_${arch}/one.txt`, 'one\n'],
      ]),
    )
    expect(readFileSync(join(local, `linux_${other}/made-for`), 'utf8')).toBe(`${other}\n`)
  })

  test('a name of the local store is that of the image for this machine', async () => {
    await build('--platform', `linux/${other},linux/${architecture}`, '-t', 'local-name')
    const { stdout } = await slipwayOk(['inspect', 'local-name'], { root })
    expect(stdout).toContain(`"Architecture": "${architecture}"`)
  })

  test.each([
    [['-o', 'type=docker,dest=x.tar'], /a Docker archive holds one platform/],
    [['--iidfile', 'x'], /one for each platform/],
  ])('%s is wrong usage', async (args, says) => {
    const { code, stderr } = await slipway(['build', '--platform', both, ...args, context], { root })
    expect(stderr).toMatch(says)
    expect(code).toBe(2)
  })
})

describe('15.1 --annotation', () => {
  test('of manifest, index and what names them', async () => {
    const archive = join(root, 'annotated.tar')
    const annotations = [
      'plain=1',
      `manifest[linux/${other}]:only=2`,
      'index,manifest-descriptor:two=3',
      'index-descriptor:four=x:y=z',
    ].flatMap(text => ['--annotation', text])
    await build('--platform', both, ...annotations, '-o', `type=oci,dest=${archive}`)
    const { index, first } = readIndex(archive)
    expect(index.manifests?.[0]?.annotations).toEqual({ four: 'x:y=z' })
    expect(first.annotations).toEqual({ two: '3' })
    expect(first.manifests?.map(each => each.annotations)).toEqual([{ two: '3' }, { two: '3' }])
    const files = new Map(readArchive(readFileSync(archive)).map(({ path, body }) => [path, body.toString()]))
    const manifests = first.manifests?.map(
      ({ digest }) => JSON.parse(files.get(`blobs/${digest.replace(':', '/')}`) ?? '') as Descriptor,
    )
    expect(manifests?.map(each => each.annotations)).toEqual([{ plain: '1' }, { plain: '1', only: '2' }])
  })

  test.each([
    [['--annotation', 'a=b'], /--annotation a: nothing carries it/],
    [['--annotation', 'index:a=b', '-o', 'type=oci,dest=x.tar'], /one platform makes no index/],
    [['--annotation', 'manifset:a=b'], /unknown level "manifset"\n.*did you mean "manifest"/],
    [['--annotation', 'index[linux/amd64]:a=b'], /an index is for all platforms/],
    [['--annotation', 'a'], /no value/],
  ])('%s is wrong usage', async (args, says) => {
    const { code, stderr } = await slipway(['build', ...args, context], { root })
    expect(stderr).toMatch(says)
    expect(code).toBe(2)
  })
})

describe('RUN for another architecture', () => {
  test('without an interpreter is an error at the RUN that names the package', async ({ skip }) => {
    skip(!canSandbox, 'RUN needs root and mount namespaces')
    skip(isRegistered(), `this machine executes programs for ${other}`)
    const foreign = join(root, 'foreign')
    mkdirSync(foreign)
    writeFileSync(join(foreign, 'base.tar'), writeArchive([directory('bin'), program('bin/sh')]))
    writeFileSync(join(foreign, 'Dockerfile'), 'FROM foreign-base\nCOPY base.tar /copied\nRUN true\n')
    await slipwayOk(['import', '--platform', `linux/${other}`, join(foreign, 'base.tar'), 'foreign-base'], { root })
    const { code, stderr } = await slipway(['build', '--platform', `linux/${other}`, foreign], { root })
    expect(stderr).toContain(`this machine (linux/${architecture}) cannot execute programs for linux/${other}`)
    expect(stderr).toContain('qemu-user-static')
    expect(stderr).toMatch(/Dockerfile:3:1\b/)
    expect(code).toBe(1)
  })
})

function isRegistered(): boolean {
  const name = other === 'arm64' ? 'qemu-aarch64' : 'qemu-x86_64'
  try {
    return readFileSync(`/proc/sys/fs/binfmt_misc/${name}`, 'utf8').startsWith('enabled')
  } catch {
    return false
  }
}

const directory = (path: string) =>
  ({ path, kind: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0, body: Buffer.alloc(0) }) as const

/** The head of a program for the other architecture: enough for the kernel to refuse it. */
function program(path: string) {
  const body = Buffer.alloc(120)
  Buffer.from('7f454c46020101', 'hex').copy(body)
  body.writeUInt16LE(2, 16)
  body.writeUInt16LE(other === 'arm64' ? 183 : 62, 18)
  body.writeUInt32LE(1, 20)
  return { path, kind: 'file', mode: 0o755, uid: 0, gid: 0, mtime: 0, body } as const
}
