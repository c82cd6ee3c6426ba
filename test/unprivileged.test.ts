import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasTool, isRoot } from './host.ts'
import { readDockerArchive, readOciArchive } from './oracle/image-archive.ts'
import { mergeLayers } from './oracle/merged-tree.ts'
import { type Member, readArchive, writeArchive } from './oracle/tar-archive.ts'
import { slipwayOk, type SlipwayOptions } from './slipway.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-unprivileged-'))
const user = isRoot ? 54_321 : (process.getuid?.() ?? 0)
const canDrop = !isRoot || hasTool('setpriv')
const options: SlipwayOptions = {
  root,
  prefix: isRoot
    ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--bounding-set=-all', '--inh-caps=-all']
    : [],
}

const base: readonly Member[] = [
  entry('', 'directory', 0o755),
  entry('dev', 'directory', 0o755),
  { ...entry('dev/null', 'char', 0o666), device: [1, 3] },
  entry('etc', 'directory', 0o755),
  { ...entry('etc/passwd', 'file', 0o644), body: Buffer.from('app:x:1000:1000::/home/app:/bin/sh\n') },
  { ...entry('etc/shadow', 'file', 0), body: Buffer.from('app:*:1::::::\n') },
  { ...entry('home', 'directory', 0o700), uid: 1000, gid: 1000 },
]

beforeAll(() => {
  const context = join(root, 'context')
  mkdirSync(join(context, 'sub'), { recursive: true })
  writeFileSync(join(root, 'base.tar'), writeArchive(base))
  writeFileSync(join(context, 'one.txt'), 'one\n')
  writeFileSync(join(context, 'sub/two.txt'), 'two\n')
  const owned = { ...entry('owned', 'file', 0o4750), uid: 7, gid: 8, body: Buffer.from('owned\n') }
  writeFileSync(join(context, 'archive.tar'), writeArchive([owned]))
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM plain-base AS stage
WORKDIR /work
COPY --chown=app --chmod=0640 one.txt .
COPY <<END /heredoc
text
END
ADD archive.tar /unpacked/
FROM plain-base
COPY --from=stage /unpacked /work /result/
COPY . /etc
COPY --chown=12:34 sub /home/sub
ENTRYPOINT ["/result/owned"]
`,
  )
  if (isRoot) for (const path of [root, context, join(context, 'sub')]) chownSync(path, user, user)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('a build without RUN works as an ordinary user without any capability', async ({ skip }) => {
  skip(!canDrop, 'needs setpriv to become an ordinary user')
  await slipwayOk(['import', join(root, 'base.tar'), 'plain-base'], options)
  const output = (type: string): string => join(root, `${type}.tar`)
  const outputs = ['oci', 'docker', 'tar'].flatMap(type => ['-o', `type=${type},dest=${output(type)}`])
  await slipwayOk(['build', '-t', 'plain', ...outputs, join(root, 'context')], options)

  const tree = mergeLayers(readOciArchive(readFileSync(output('oci'))).layers)
  expect(
    Object.fromEntries([...tree].map(([path, { type, mode, uid, gid }]) => [path, { type, mode, uid, gid }])),
  ).toEqual({
    '/': { type: 'directory', mode: 0o755, uid: 0, gid: 0 },
    '/dev': { type: 'directory', mode: 0o755, uid: 0, gid: 0 },
    '/dev/null': { type: 'char', mode: 0o666, uid: 0, gid: 0 },
    '/etc': { type: 'directory', mode: 0o755, uid: 0, gid: 0 },
    '/etc/passwd': { type: 'file', mode: 0o644, uid: 0, gid: 0 },
    '/etc/shadow': { type: 'file', mode: 0, uid: 0, gid: 0 },
    '/etc/Dockerfile': { type: 'file', mode: 0o644, uid: 0, gid: 0 },
    '/etc/archive.tar': { type: 'file', mode: 0o644, uid: 0, gid: 0 },
    '/etc/one.txt': { type: 'file', mode: 0o644, uid: 0, gid: 0 },
    '/etc/sub': { type: 'directory', mode: 0o755, uid: 0, gid: 0 },
    '/etc/sub/two.txt': { type: 'file', mode: 0o644, uid: 0, gid: 0 },
    '/home': { type: 'directory', mode: 0o700, uid: 1000, gid: 1000 },
    '/home/sub': { type: 'directory', mode: 0o755, uid: 12, gid: 34 },
    '/home/sub/two.txt': { type: 'file', mode: 0o644, uid: 12, gid: 34 },
    '/result': { type: 'directory', mode: 0o755, uid: 0, gid: 0 },
    '/result/one.txt': { type: 'file', mode: 0o640, uid: 1000, gid: 1000 },
    '/result/owned': { type: 'file', mode: 0o4750, uid: 7, gid: 8 },
  })
  expect(mergeLayers(readDockerArchive(readFileSync(output('docker'))).layers)).toEqual(tree)
  // The merged archive holds one entry for everything, the same as the layers say.
  const merged = mergeLayers([readFileSync(output('tar'))])
  merged.delete('/')
  tree.delete('/')
  expect(merged).toEqual(tree)
  expect(readArchive(readFileSync(output('tar'))).filter(({ path }) => path === 'home/sub/two.txt')).toHaveLength(1)
})

test('and says what is missing when there is a RUN that cannot be had', async ({ skip }) => {
  skip(!canDrop || userNamespacesWork(), 'ordinary users can have namespaces here')
  writeFileSync(join(root, 'context/with-run'), 'FROM plain-base\nRUN ["/none"]\n')
  const { slipway } = await import('./slipway.ts')
  const result = await slipway(['build', '-f', join(root, 'context/with-run'), join(root, 'context')], options)
  expect(result.code, result.stderr).toBe(1)
  expect(result.stderr).toMatch(/^error: /m)
  expect(result.stderr).toMatch(/with-run:2:1/)
  expect(result.stderr).toMatch(/namespace|root|privilege|newuidmap/i)
})

/** Dropping every capability from the bounding set leaves none in a new user namespace's parent: nothing to map ids with. */
function userNamespacesWork(): boolean {
  return !isRoot
}

function entry(path: string, kind: Member['kind'], mode: number): Member {
  return { path, kind, mode, uid: 0, gid: 0, mtime: 1_600_000_000, body: Buffer.alloc(0) }
}
