import { describe, expect, test } from 'vitest'
import { configureScript } from './configure-packages.ts'
import { readPackageRecord } from './package-record.ts'
import { actsOnInstall, planConfiguration } from './plan-configuration.ts'

const records = (text: string): ReturnType<typeof readPackageRecord>[] =>
  text
    .trim()
    .split('\n')
    .map(line => {
      const [name = '', ...fields] = line.split(';').map(part => part.trim())
      return readPackageRecord([`Package: ${name}`, 'Version: 1', ...fields].join('\n'), 0)
    })

function plan(packages: string, core: string, preinst: string): Record<string, unknown> {
  const words = (text: string): Set<string> => new Set(text.split(' '))
  const {
    unpacked,
    first,
    rounds,
    preinst: scripts,
  } = planConfiguration(records(packages), words(core), words(preinst))
  const names = (list: readonly { name: string }[]): string => list.map(({ name }) => name).join(' ')
  return {
    unpacked: names(unpacked),
    preinst: names(scripts),
    first: names(first),
    rounds: rounds.map(({ configure, unpack }) => `${names(configure)} / ${names(unpack)}`),
  }
}

describe('planConfiguration', () => {
  test('without preinst scripts everything is unpacked at once', () => {
    expect(plan('base-files\nlibc6\na; Depends: libc6', 'base-files libc6', '')).toEqual({
      unpacked: 'base-files libc6 a',
      preinst: '',
      first: 'base-files',
      rounds: [],
    })
  })

  test('users come first, with what they need', () => {
    const packages = 'base-files; Pre-Depends: awk\nbase-passwd; Depends: libc6\nlibc6\nmawk; Provides: awk'
    const { first, preinst } = plan(packages, 'base-files base-passwd libc6 mawk', 'libc6 base-passwd')
    expect(first).toBe('base-passwd libc6 base-files mawk')
    expect(preinst).toBe('base-passwd libc6')
  })

  test('a script waits for the core and its Pre-Depends, with everything that they need', () => {
    const packages = 'dash\nadduser; Depends: passwd\npasswd\nuser; Pre-Depends: adduser\nother'
    expect(plan(packages, 'dash', 'dash user')).toEqual({
      unpacked: 'dash adduser passwd other',
      preinst: 'dash',
      first: '',
      rounds: ['dash adduser passwd / user'],
    })
  })

  test('scripts that wait for each other take several rounds', () => {
    const packages = 'dash\na; Pre-Depends: b\nb; Pre-Depends: c\nc'
    expect(plan(packages, 'dash', 'a b')['rounds']).toEqual(['dash c / b', 'b / a'])
  })
})

test.each<[string, boolean]>([
  ['#!/bin/sh\nset -e\n# Automatically added\ndpkg-maintscript-helper rm_conffile /etc/x 1~ -- "$@"\n# End\n', false],
  ['#!/bin/sh\nset -e\ndpkg-maintscript-helper mv_conffile /etc/x \\\n  /etc/y 1~ -- "$@"\n', false],
  ['#!/bin/sh\nset -e\nadduser --system x\n', true],
  ['#!/usr/bin/perl\nprint 1;\n', true],
  ['\x7fELF', true],
])('%j acts: %s', (script, acts) => {
  expect(actsOnInstall(script)).toBe(acts)
})

test('the script does everything in order', () => {
  const item = (name: string): { name: string; infoName: string; architecture: string; sha256: string } => {
    return { name, infoName: `${name}:amd64`, architecture: 'amd64', sha256: `hash-of-${name}` }
  }
  const script = configureScript({
    preinst: [item('p')],
    first: [item('f')],
    rounds: [
      { configure: [item('c'), item('d')], unpack: [item('u')] },
      { configure: [], unpack: [item('v')] },
    ],
    alternatives: [{ name: 'awk', target: "/a b'c" }],
  })
  expect(script.split('\n').filter(line => /^(preinst [^(]|dpkg |choose [^(])/.test(line))).toEqual([
    'preinst p amd64',
    'dpkg --force-unsafe-io --configure f:amd64',
    'dpkg --force-unsafe-io --configure c:amd64 d:amd64',
    'dpkg --force-unsafe-io --unpack /run/slipway-packages/hash-of-u',
    'dpkg --force-unsafe-io --unpack /run/slipway-packages/hash-of-v',
    'dpkg --force-unsafe-io --configure -a',
    String.raw`choose 'awk' '/a b'\''c'`,
  ])
})
