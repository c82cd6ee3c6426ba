import { expect, test } from 'vitest'
import { passEnvironment } from './pass-environment.ts'

const sensitive = (
  'LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT LD_BIND_NOW GCONV_PATH GLIBC_TUNABLES LOCPATH NLSPATH MALLOC_TRACE ' +
  'MALLOC_ARENA_MAX RES_OPTIONS HOSTALIASES TMPDIR TZ TZDIR LANGUAGE POSIXLY_CORRECT LIBMOUNT_FSTAB MUSL_LOCPATH LC_ALL LANG'
).split(' ')
test.each(sensitive)('%s is set inside the root', name => {
  const entry = `${name}=de_DE.UTF-8`
  const passing = passEnvironment({ env: ['A=b', entry], argv: ['x'], inRoot: { env: '/bin/env' } })
  expect(passing).toEqual({
    outside: [],
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
  expect(passEnvironment({ env: [entry], argv: ['x'] })).toEqual({
    outside: [entry],
  })
})
