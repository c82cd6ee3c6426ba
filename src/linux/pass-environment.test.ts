import { expect, test } from 'vitest'
import { passEnvironment } from './pass-environment.ts'

const sensitive = [
  ...['LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'LD_BIND_NOW', 'GCONV_PATH', 'GLIBC_TUNABLES', 'LOCPATH', 'NLSPATH'],
  ...['MALLOC_TRACE', 'MALLOC_ARENA_MAX', 'RES_OPTIONS', 'HOSTALIASES', 'TMPDIR', 'TZ', 'TZDIR', 'LANGUAGE'],
  ...['POSIXLY_CORRECT', 'LIBMOUNT_FSTAB', 'MUSL_LOCPATH', 'LC_ALL', 'LANG'],
]
test.each(sensitive)('%s is set inside the root', name => {
  const entry = `${name}=de_DE.UTF-8`
  const passing = passEnvironment(
    { env: ['A=b', entry], argv: ['x'], inRoot: { env: '/bin/env' } },
    { plainShell: true },
  )
  expect(passing).toEqual({
    outside: [],
    byShell: true,
    inside: { kind: 'env', program: '/bin/env', variables: ['A=b', entry] },
  })
})

const harmless = [
  'LANG=C.UTF-8',
  'LC_ALL=C',
  'LC_CTYPE=POSIX',
  'PATH=/x',
  'HOME=/root',
  'LDFLAGS=-s',
  'EMPTY=',
  'JAVA_HOME=/j',
  'X=a=b\nc',
]
test.each(harmless)('%s is exported', entry => {
  expect(passEnvironment({ env: [entry], argv: ['x'] }, { plainShell: true })).toEqual({
    outside: [entry],
    byShell: true,
  })
})

const notForShells = ['IFS=x', 'OPTIND=z', 'PWD=/', '_=x', 'a-b=1', '1a=2', 'ä=1', 'PPID=3', 'a b=1']
test.each(notForShells)('%s is not left to the shell', entry => {
  expect(passEnvironment({ env: [entry], argv: ['x'] }, { plainShell: true })).toEqual({
    outside: [entry],
    byShell: false,
  })
})
