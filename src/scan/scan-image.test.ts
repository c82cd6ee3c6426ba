import { expect, test } from 'vitest'
import { type MemberKind, writeArchive } from '../../test/oracle/tar-archive.ts'
import type { ImageConfig } from '#oci'
import { scanImage } from './scan-image.ts'

const setting = Buffer.from(`password = "${'k8'}Wq3zRt7Lm"\n`)

/** A layer with these files; those that end with a slash are directories, those of `.conf` hold a secret. */
function layer(paths: readonly string[]): { open(): AsyncIterable<Uint8Array> } {
  const archive = writeArchive(
    paths.map(path => {
      const kind: MemberKind = path.endsWith('/') ? 'directory' : 'file'
      const body = path.endsWith('.conf') ? setting : Buffer.alloc(0)
      return { path: path.replace(/\/$/, ''), kind, mode: 0o700, uid: 0, gid: 0, mtime: 0, body }
    }),
  )
  return {
    open: async function* () {
      yield archive
    },
  }
}

const below = ['etc/app.conf', 'srv/a/one.conf', 'srv/a/b/two.conf', 'srv/ab.conf']

/** [what a second layer brings, of the files below those that are hidden by it] */
test.each<[string[], string[]]>([
  [[], []],
  [['etc/app.conf'], ['etc/app.conf']],
  [['etc/.wh.app.conf'], ['etc/app.conf']],
  [
    ['srv/', 'srv/.wh.a'],
    ['srv/a/one.conf', 'srv/a/b/two.conf'],
  ],
  [['srv/a'], ['srv/a/one.conf', 'srv/a/b/two.conf']],
  [['srv/a/'], []],
  [
    ['srv/a/', 'srv/a/.wh..wh..opq'],
    ['srv/a/one.conf', 'srv/a/b/two.conf'],
  ],
  [['.wh..wh..opq'], below],
  [['etc/.wh..wh..opq', 'etc/app.conf'], ['etc/app.conf']],
])('%j hides %j', async (second, hidden) => {
  const config: ImageConfig = {
    os: 'linux',
    architecture: 'amd64',
    config: {},
    rootfs: { type: 'layers', diff_ids: [] },
    history: [],
  }
  const { findings } = await scanImage({ config, layers: [layer(below), layer(second), layer(['etc/.wh.app.conf'])] })
  const of = (by: number | undefined): string[] =>
    findings.flatMap(({ place }) =>
      place.kind === 'file' && place.layer === 0 && place.hiddenBy === by ? place.path : [],
    )
  expect(of(1)).toEqual(hidden)
  expect(of(2)).toEqual(hidden.includes('etc/app.conf') ? [] : ['etc/app.conf'])
})
