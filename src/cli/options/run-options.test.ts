import { describe, expect, test } from 'vitest'
import { parseAddHost } from './add-host.ts'
import { parseMemory } from './memory.ts'
import { collectPlatforms } from './platforms.ts'
import { parseUlimit } from './ulimit.ts'

describe('11.8 --add-host', () => {
  test.each([
    ['db:10.0.0.5', 'db', '10.0.0.5'],
    ['db.test=10.0.0.5', 'db.test', '10.0.0.5'],
    ['v6:::1', 'v6', '::1'],
    ['v6=[2001:db8::1]', 'v6', '2001:db8::1'],
    ['host.docker.internal:host-gateway', 'host.docker.internal', '127.0.0.1'],
  ])('%s', (text, name, address) => {
    expect(parseAddHost(text)).toEqual({ name, address })
  })

  test.each([
    '',
    'db',
    'db:',
    ':1.2.3.4',
    'db:1.2.3',
    'db:1.2.3.256',
    'db:1::2::3',
    'db:]/x:[',
    'db:x',
    'a b:1.2.3.4',
    'a\n:1.2.3.4',
    'db:fe80::1%x\n',
    'db:1.2.3.4\n6',
  ])('%j is wrong usage', text => {
    expect(() => parseAddHost(text)).toThrow(/--add-host/)
  })
})

describe('11.8 --ulimit', () => {
  test.each([
    ['nofile=1024', 'nofile', 1024, 1024],
    ['nofile=1024:4096', 'nofile', 1024, 4096],
    ['core=0', 'core', 0, 0],
    ['memlock=-1', 'memlock', -1, -1],
    ['nproc=5:-1', 'nproc', 5, -1],
  ])('%s', (text, name, soft, hard) => {
    expect(parseUlimit(text)).toEqual({ name, soft, hard })
  })

  test.each([
    ['nofile', /not a limit/],
    ['nofile=', /not a limit/],
    ['nofile=1:2:3', /not a limit/],
    ['nofile=-2', /not a limit/],
    ['nofiles=1', /unknown limit "nofiles"/],
    ['nofile=2:1', /above the hard limit/],
    ['nofile=-1:1', /above the hard limit/],
    ['nofile=99999999999999999999', /too large/],
  ])('%s is wrong usage', (text, says) => {
    expect(() => parseUlimit(text)).toThrow(says)
  })
})

describe('11.8 --shm-size', () => {
  test.each([
    ['65536', 65_536],
    ['100b', 100],
    ['64k', 65_536],
    ['64M', 67_108_864],
    ['1.5g', 1_610_612_736],
    ['2GiB', 2_147_483_648],
    ['1kb', 1024],
  ])('%s, as Docker counts', (text, bytes) => {
    expect(parseMemory(text, '--shm-size')).toBe(bytes)
  })

  test.each(['', '0', '-1', '1x', 'k', '1e3', '99999999t'])('%j is wrong usage', text => {
    expect(() => parseMemory(text, '--shm-size')).toThrow(/invalid size .* for --shm-size/)
  })
})

test('15.1 --platform takes a list, several times, each platform once', () => {
  const first = collectPlatforms('linux/amd64, linux/arm64/v8')
  expect(collectPlatforms('linux/arm/v7,amd64', first)).toEqual([
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64' },
    { os: 'linux', architecture: 'arm', variant: 'v7' },
  ])
  expect(() => collectPlatforms('linux/amd64,')).toThrow(/empty platform/)
})
