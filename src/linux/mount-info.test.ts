import { expect, test } from 'vitest'
import { mountOptionsOf, mountsOfTopRoot, parseMountInfo } from './mount-info.ts'

const text = `20 1 254:0 / / rw,relatime - ext4 /dev/vda rw
21 20 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:5 master:1 - proc proc rw
22 20 0:30 / /home/a\\040b rw,nosuid,nodev - tmpfs tmpfs rw
40 20 0:40 / / rw,nodev - overlay overlay rw
41 40 0:42 / /proc rw - proc proc rw
42 41 0:42 /sys /proc/sys ro - proc proc rw
`
test('fields, whatever the number of optional ones', () => {
  const table = parseMountInfo(text)
  expect(table[1]).toEqual({
    id: 21,
    parent: 20,
    point: '/proc',
    options: ['rw', 'nosuid', 'nodev', 'noexec', 'relatime'],
    type: 'proc',
  })
  expect(table[2]?.point).toBe('/home/a b')
  expect(table).toHaveLength(6)
})

test('only what is inside the topmost root counts', () => {
  expect([...mountsOfTopRoot(parseMountInfo(text))]).toEqual(['/', '/proc', '/proc/sys'])
  const onHost = text.replace('42 41', '42 21')
  expect([...mountsOfTopRoot(parseMountInfo(onHost))]).toEqual(['/', '/proc'])
})

test.each([
  ['/home/a b/c', ['nosuid', 'nodev']],
  ['/home/a bc', ['nodev']],
  ['/proc/sys/x', ['ro']],
])('flags of %s', (path, flags) => {
  expect(mountOptionsOf(parseMountInfo(text), path)).toEqual(flags)
})
