import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { writeMirror } from '../../test/oracle/package-mirror.ts'
import { composeBase } from './compose-base.ts'
import { readBaseFile } from './read-base-file.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-identity-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('a base is not remembered by files that changed while it was composed', async () => {
  const mirror = join(root, 'mirror')
  const accounts = {
    'usr/share/base-passwd/passwd.master': 'root:*:0:0:root:/root:/bin/bash\n',
    'usr/share/base-passwd/group.master': 'root:*:0:\n',
  }
  const packages = [
    { name: 'base-files', version: '1', files: { 'etc/': '', 'etc/debian_version': '12\n' } },
    { name: 'base-passwd', version: '1', files: accounts },
  ]
  await writeMirror(mirror, packages, 'Sat, 11 Jul 2026 10:16:37 UTC')
  const spec = readBaseFile({
    name: 'base.yaml',
    text: `kind: minimal
suite: box
architecture: amd64
mirror: ${pathToFileURL(mirror).href}
trusted: true
packages: []
files:
  - {path: /etc/app.conf, source: app.conf}
`,
  })
  const keyOf = async (content: string, meanwhile: string): Promise<string | undefined> => {
    writeFileSync(join(root, 'app.conf'), content)
    const scratch = mkdtempSync(join(root, 'scratch-'))
    const { key } = await composeBase(spec, {
      target: async () => {
        writeFileSync(join(root, 'app.conf'), meanwhile)
        const path = join(scratch, 'target')
        mkdirSync(path)
        return { path, isPassing: false }
      },
      memory: { composer: 'test', recall: () => undefined },
      cacheDirectory: join(root, 'cache'),
      scratch,
      directory: root,
      env: {},
    })
    return key
  }
  const key = await keyOf('one', 'one')
  expect(key).toMatch(/^[0-9a-f]{64}$/)
  expect(await keyOf('one', 'two')).toBeUndefined()
  expect(await keyOf('one', 'one')).toBe(key)
})
