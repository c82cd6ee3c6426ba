import { describe, expect, test } from 'vitest'
import { findAccount, findOwner } from '#rootfs'
import { type Entry, emptyTree, mergeLayers } from '#tree'

const file = (path: string, text: string): Entry => {
  const bytes = Buffer.from(text)
  return {
    path,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: bytes.length,
    mtime: { seconds: 0, nanoseconds: 0 },
    source: { kind: 'bytes', bytes },
  }
}
const tree = mergeLayers([
  [
    file(
      'etc/passwd',
      'root:x:0:0:root:/root:/bin/sh\n# comment\nbroken\napp:x:1000:1001:App:/home/app:/bin/sh\nnohome:x:5:6:::\n',
    ),
    file('etc/group', 'root:x:0:\napp:x:1001:\nvideo:x:44:other,app\naudio:x:29:app\nwheel:x:10:root\n'),
  ],
])

describe('11.3 the user of a RUN', () => {
  test.each([
    ['', { uid: 0, gid: 0, groups: [10], home: '/root' }],
    ['app', { uid: 1000, gid: 1001, groups: [44, 29], home: '/home/app' }],
    ['1000', { uid: 1000, gid: 1001, groups: [44, 29], home: '/home/app' }],
    ['app:video', { uid: 1000, gid: 44, groups: [], home: '/home/app' }],
    ['app:77', { uid: 1000, gid: 77, groups: [], home: '/home/app' }],
    ['4242', { uid: 4242, gid: 0, groups: [], home: '/' }],
    ['4242:4243', { uid: 4242, gid: 4243, groups: [], home: '/' }],
    ['nohome', { uid: 5, gid: 6, groups: [], home: '/' }],
  ])('%j', (user, account) => {
    expect(findAccount(tree, user)).toEqual(account)
  })
  test.each(['ghost', 'app:ghosts', '4294967295', '-1'])('%j is unknown', user => {
    expect(() => findAccount(tree, user)).toThrow(/unknown (user|group)/)
  })
  test('numbers need no /etc/passwd, names do', () => {
    expect(findAccount(emptyTree, '7:8')).toEqual({ uid: 7, gid: 8, groups: [], home: '/' })
    expect(() => findAccount(emptyTree, 'app')).toThrow(/unknown user "app"/)
  })
})

describe('12.13 --chown', () => {
  test.each([
    ['app', { uid: 1000, gid: 1001 }],
    ['1000', { uid: 1000, gid: 1000 }],
    ['app:video', { uid: 1000, gid: 44 }],
    ['7:8', { uid: 7, gid: 8 }],
    [':video', { uid: 0, gid: 44 }],
  ])('%j', (owner, ids) => {
    expect(findOwner(tree, owner)).toEqual(ids)
  })
  test('an unknown name is an error, never silently root', () => {
    expect(() => findOwner(tree, 'ghost')).toThrow(/unknown user "ghost"/)
    expect(() => findOwner(tree, 'app:ghosts')).toThrow(/unknown group "ghosts"/)
  })
})
