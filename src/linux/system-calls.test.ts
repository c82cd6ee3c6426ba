import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { copyRange } from './copy-range.ts'
import { lockFile, tryLockFile } from './file-lock.ts'
import { setFileTimes } from './file-times.ts'
import { deviceNumber, makeNode } from './make-node.ts'
import { processIsAlive, processStartTime } from './process-alive.ts'
import { syncFileSystem } from './sync-file-system.ts'
import { getXattr, getXattrs, listXattrs, removeXattr, setXattr } from './xattrs.ts'

const asRoot = process.getuid?.() === 0
let base = ''
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'calls-test-'))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))
const at = (name: string): string => join(base, name)
const file = (name: string, text = ''): string => {
  writeFileSync(at(name), text)
  return at(name)
}

describe.skipIf(!asRoot)('extended attributes (trusted ones need root)', () => {
  test('values of every size and byte, names sorted', () => {
    const path = file('attributes')
    const values: [string, Buffer][] = [
      ['user.z', Buffer.from([0, 255, 10, 0])],
      ['trusted.overlay.opaque', Buffer.from('y')],
      ['user.empty', Buffer.alloc(0)],
      ['user.large', Buffer.alloc(2000, 0xab)],
    ]
    for (const [name, value] of values) setXattr(path, name, value)
    expect([...(getXattrs(path) ?? [])]).toEqual(values.toSorted(([a], [b]) => (a < b ? -1 : 1)))
    setXattr(path, 'user.z', Buffer.from('new'))
    expect(Buffer.from(getXattr(path, 'user.z') ?? []).toString()).toBe('new')
    removeXattr(path, 'user.z')
    removeXattr(path, 'user.z')
    expect([getXattr(path, 'user.z'), listXattrs(path).length]).toEqual([undefined, 3])
  })

  test('of the link, not of its target; of names that are not UTF-8', () => {
    const target = file('target')
    symlinkSync(target, at('link'))
    setXattr(at('link'), 'trusted.x', Buffer.from('link'))
    expect(getXattrs(target)).toBeUndefined()
    expect(listXattrs(at('link'))).toEqual(['trusted.x'])
    const odd = Buffer.concat([Buffer.from(`${base}/`), Buffer.from([0xff, 0xfe])])
    writeFileSync(odd, '')
    setXattr(odd, 'user.a', Buffer.from('1'))
    expect(listXattrs(odd)).toEqual(['user.a'])
  })

  test('errors look like those of node:fs', () => {
    expect(() => getXattrs(at('gone'))).toThrow(
      expect.objectContaining({ code: 'ENOENT', syscall: 'llistxattr', path: at('gone') }),
    )
    expect(() => setXattr('/proc/self/status', 'user.x', Buffer.from('1'))).toThrow(
      expect.objectContaining({ code: 'ENOTSUP' }),
    )
    expect(getXattrs('/proc/self/status')).toBeUndefined()
    expect(() => getXattrs('/tmp\0/x')).toThrow(/null byte/)
  })
})

describe('nodes', () => {
  test.skipIf(!asRoot).each([
    ['char', 0, 0, 0],
    ['block', 254, 300, 0o640],
    ['char', 4095, 1048575, 0o600],
    ['fifo', 7, 7, 0o644],
  ] as const)('%s %i:%i (needs root)', (type, major, minor, mode) => {
    const path = at(`node-${type}-${major}`)
    makeNode(path, { type, mode, major, minor })
    const [kind, device, access] = execFileSync('stat', ['-c', '%F|%t:%T|%a', path], { encoding: 'utf8' })
      .trim()
      .split('|')
    const kinds = { char: 'character special file', block: 'block special file', fifo: 'fifo' }
    const expected = type === 'fifo' ? '0:0' : `${major.toString(16)}:${minor.toString(16)}`
    expect([kind, device, access]).toEqual([kinds[type], expected, mode.toString(8)])
    expect(lstatSync(path, { bigint: true }).rdev).toBe(type === 'fifo' ? 0n : deviceNumber(major, minor))
  })

  test('numbers that Linux can not hold, places that are taken', () => {
    expect(() => makeNode(at('x'), { type: 'char', mode: 0, major: 4096, minor: 0 })).toThrow(
      'Linux has no device 4096:0',
    )
    expect(() => makeNode(at('x'), { type: 'char', mode: 0, major: 0, minor: 2 ** 20 })).toThrow(/1048576/)
    const there = file('there')
    expect(() => makeNode(there, { type: 'fifo', mode: 0, major: 0, minor: 0 })).toThrow(
      expect.objectContaining({ code: 'EEXIST' }),
    )
  })
})

test('times to the nanosecond, of links themselves, also before 1970', () => {
  const target = file('timed')
  symlinkSync(target, at('timed-link'))
  const before = lstatSync(target, { bigint: true }).mtimeNs
  setFileTimes(at('timed-link'), {
    access: { seconds: 1, nanoseconds: 2 },
    modification: { seconds: -5, nanoseconds: 999_999_999 },
  })
  const { atimeNs, mtimeNs } = lstatSync(at('timed-link'), { bigint: true })
  expect([atimeNs, mtimeNs]).toEqual([1_000_000_002n, -4_000_000_001n])
  expect(lstatSync(target, { bigint: true }).mtimeNs).toBe(before)
})

describe('locks', () => {
  test('many may share, one may exclude; disposing releases', () => {
    const path = at('lock-a')
    const first = tryLockFile(path, 'shared')
    const second = tryLockFile(path, 'shared')
    expect(first && second).toBeDefined()
    expect(tryLockFile(path, 'exclusive')).toBeUndefined()
    first?.[Symbol.dispose]()
    first?.[Symbol.dispose]()
    expect(tryLockFile(path, 'exclusive')).toBeUndefined()
    second?.[Symbol.dispose]()
    using third = tryLockFile(path, 'exclusive')
    expect(third).toBeDefined()
    expect(existsSync(path)).toBe(true)
  })

  test('waiting, and giving up', async () => {
    const path = at('lock-b')
    const holder = tryLockFile(path, 'exclusive')
    const waits: string[] = []
    const waiting = lockFile(path, 'shared', { onWait: () => waits.push('waits') })
    await expect(lockFile(path, 'exclusive', { signal: AbortSignal.timeout(20) })).rejects.toThrow(/timeout/)
    holder?.[Symbol.dispose]()
    using lock = await waiting
    expect([lock.path, waits]).toEqual([path, ['waits']])
  })

  test('a link in place of the lock file is not followed', () => {
    symlinkSync(at('elsewhere'), at('lock-link'))
    expect(() => tryLockFile(at('lock-link'), 'shared')).toThrow(expect.objectContaining({ code: 'ELOOP' }))
    expect(existsSync(at('elsewhere'))).toBe(false)
  })

  test('the death of a process releases its lock, and a child does not keep it', async () => {
    const path = at('lock-c')
    const module = fileURLToPath(new URL('./file-lock.ts', import.meta.url))
    const program = `
      import { spawn } from 'node:child_process'
      const { tryLockFile } = await import(${JSON.stringify(module)})
      globalThis.lock = tryLockFile(${JSON.stringify(path)}, 'exclusive')
      spawn('sleep', ['3'], { stdio: 'ignore', detached: true }).unref()
      console.log('locked'); setInterval(() => {}, 1000)`
    const holder = spawn(process.execPath, ['--conditions=slipway-source', '--input-type=module', '-e', program])
    await once(holder.stdout, 'data')
    expect(tryLockFile(path, 'shared')).toBeUndefined()
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    using lock = tryLockFile(path, 'exclusive')
    expect(lock).toBeDefined()
  })
})

describe('copies of ranges', () => {
  const copy = (from: string, to: string, [fromOffset, toOffset, length]: [number, number, number]): number => {
    const source = openSync(from, 'r')
    const target = openSync(to, 'r+')
    try {
      return copyRange({ fd: source, offset: fromOffset }, { fd: target, offset: toOffset }, length)
    } finally {
      closeSync(source)
      closeSync(target)
    }
  }
  test.each([
    ['inside', [2, 4, 3], 3, '....cde.'],
    ['beyond the end of the target', [0, 7, 4], 4, '.......abcd'],
    ['beyond the end of the source', [6, 0, 100], 2, 'gh......'],
    ['nothing', [0, 0, 0], 0, '........'],
  ] as [string, [number, number, number], number, string][])('%s', (name, range, copied, expected) => {
    const target = file(`to ${name}`, '........')
    expect(copy(file('from', 'abcdefgh'), target, range)).toBe(copied)
    expect(readFileSync(target, 'utf8')).toBe(expected)
  })

  test('between file systems that can not do it in the kernel', () => {
    const target = file('from-proc', '')
    const text = readFileSync('/proc/version', 'utf8')
    expect(copy('/proc/version', target, [0, 0, 1 << 20])).toBe(text.length)
    expect(readFileSync(target, 'utf8')).toBe(text)
  })

  test('a closed file is an error', () => {
    expect(() => copyRange({ fd: 9999, offset: 0 }, { fd: 9998, offset: 0 }, 1)).toThrow(
      expect.objectContaining({ code: 'EBADF' }),
    )
  })
})

test('a file system is synced, or it is said why not', async () => {
  mkdirSync(at('synced'))
  await syncFileSystem(at('synced'))
  await expect(syncFileSystem(at('not-there'))).rejects.toThrow(expect.objectContaining({ code: 'ENOENT' }))
})

test('a process is named by its id and its start', async () => {
  const start = processStartTime(process.pid) ?? -1
  expect([processIsAlive(process.pid, start), processIsAlive(process.pid, start - 1)]).toEqual([true, false])
  // A name that looks like the end of the name field.
  symlinkSync('/bin/sleep', at('x) Z 1'))
  const child = spawn(at('x) Z 1'), ['5'])
  await once(child, 'spawn')
  const childStart = processStartTime(child.pid ?? 0) ?? -1
  expect(childStart).toBeGreaterThanOrEqual(start)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(processIsAlive(child.pid ?? 0, childStart)).toBe(false)
})
