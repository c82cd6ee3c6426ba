import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canSandbox, docker, hasTool, isRoot } from './host.ts'
import { readDockerArchive, readOciArchive } from './oracle/image-archive.ts'
import { mergeLayers } from './oracle/merged-tree.ts'
import { findBusybox } from './oracle/test-base.ts'
import { importTestBase, slipwayOk } from './slipway.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-interop-'))
const runs = findBusybox().runs
const image = 'slipway-test/interop:one'
const oci = join(root, 'oci.tar')
const dockerArchive = join(root, 'docker.tar')

beforeAll(async () => {
  await importTestBase(root)
  mkdirSync(join(root, 'context'))
  writeFileSync(join(root, 'context/greeting.txt'), 'hello from the image\n')
  writeFileSync(
    join(root, 'context/Dockerfile'),
    `FROM slipway-test/base AS build
COPY --chown=app:staff --chmod=0640 greeting.txt /greeting.txt
${canSandbox && runs ? 'RUN rm -r /opt/tool/lib && ln /greeting.txt /hard && ln -s greeting.txt /link' : 'WORKDIR /opt'}
WORKDIR /work
LABEL org.example.kind="interop test" size="small"
ENV GREETING="two words"
EXPOSE 8080
USER app:staff
ENTRYPOINT ["/bin/cat"]
CMD ["/greeting.txt"]
`,
  )
  const outputs = ['-o', `type=oci,dest=${oci}`, '-o', `type=docker,dest=${dockerArchive}`]
  await slipwayOk(['build', '-t', image, ...outputs, join(root, 'context')], { root })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('both archives hold the same image', () => {
  const [one, two] = [readOciArchive(readFileSync(oci)), readDockerArchive(readFileSync(dockerArchive))]
  expect(two.config).toEqual(one.config)
  expect(mergeLayers(two.layers)).toEqual(mergeLayers(one.layers))
})

describe('skopeo', () => {
  test.for(['oci-archive', 'docker-archive'])('inspects and copies %s', (transport, { skip }) => {
    skip(!hasTool('skopeo'), 'skopeo is not installed')
    const source = `${transport}:${transport === 'oci-archive' ? oci : dockerArchive}`
    const inspected = JSON.parse(run('skopeo', 'inspect', source)) as {
      Labels: unknown
      Layers: unknown[]
      Env: unknown
    }
    expect(inspected.Labels).toEqual({ 'org.example.kind': 'interop test', size: 'small' })
    expect(inspected.Layers).toHaveLength(4)
    expect(inspected.Env).toContain('GREETING=two words')
    const config = JSON.parse(run('skopeo', 'inspect', '--config', source)) as { config: { User: string } }
    expect(config.config.User).toBe('app:staff')
    // A copy reads every layer and checks every digest.
    run('skopeo', 'copy', '--insecure-policy', source, `oci:${join(root, `copied-${transport}`)}:copy`)
  })
})

describe('umoci', () => {
  test('unpacks what type=oci wrote', ({ skip }) => {
    skip(!hasTool('umoci'), 'umoci is not installed')
    skip(!isRoot, 'unpacking owners needs root')
    const layout = join(root, 'layout')
    mkdirSync(layout)
    run('tar', '-xf', oci, '-C', layout)
    const [tag] = run('umoci', 'ls', '--layout', layout).split('\n')
    run('umoci', 'unpack', '--image', `${layout}:${tag}`, join(root, 'bundle'))
    const at = (path: string): string => join(root, 'bundle/rootfs', path)
    const greeting = lstatSync(at('greeting.txt'))
    expect([greeting.uid, greeting.gid, greeting.mode & 0o7777]).toEqual([1000, 50, 0o640])
    expect(readFileSync(at('greeting.txt'), 'utf8')).toBe('hello from the image\n')
    if (!canSandbox || !runs) return
    expect(readlinkSync(at('link'))).toBe('greeting.txt')
    expect(lstatSync(at('hard')).ino).toBe(greeting.ino)
    expect(() => lstatSync(at('opt/tool/lib'))).toThrow(/ENOENT/)
  })
})

describe('docker', () => {
  test('loads and runs what type=docker wrote', ({ skip }) => {
    skip(docker === undefined, 'no Docker engine answers')
    skip(!runs, 'nothing can be run without a static busybox')
    const engine = docker ?? ''
    expect(run(engine, 'load', '-i', dockerArchive)).toContain(image)
    try {
      expect(run(engine, 'run', '--rm', '--network=none', image)).toBe('hello from the image\n')
      const environment = run(engine, 'run', '--rm', '--network=none', '--entrypoint', '/bin/env', image)
      expect(environment).toContain('GREETING=two words\n')
      const config = JSON.parse(run(engine, 'image', 'inspect', image)) as { Config: object; Id: string }[]
      expect(config[0]?.Config).toMatchObject({
        User: 'app:staff',
        WorkingDir: '/work',
        ExposedPorts: { '8080/tcp': {} },
      })
      expect(run(engine, 'history', '--no-trunc', image)).toContain('COPY')
    } finally {
      run(engine, 'image', 'rm', '-f', image)
    }
  })

  test('what docker save wrote can be loaded', async ({ skip }) => {
    skip(docker === undefined, 'no Docker engine answers')
    const engine = docker ?? ''
    const saved = join(root, 'saved.tar')
    run(engine, 'load', '-i', dockerArchive)
    try {
      run(engine, 'save', '-o', saved, image)
    } finally {
      run(engine, 'image', 'rm', '-f', image)
    }
    const other = mkdtempSync(join(root, 'other-'))
    await slipwayOk(['load', '-i', saved], { root: other })
    const again = join(other, 'again.tar')
    await slipwayOk(['save', '-o', again, image], { root: other })
    expect(readDockerArchive(readFileSync(again)).layers).toEqual(readDockerArchive(readFileSync(dockerArchive)).layers)
  })
})

function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26, stdio: ['ignore', 'pipe', 'pipe'] })
}
