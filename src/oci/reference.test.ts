import { describe, expect, test } from 'vitest'
import { familiarReference, formatReference, parseReference } from '#oci'

describe('parseReference', () => {
  test.each([
    ['debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['localhost:5000/a/b:1', 'localhost:5000/a/b:1', 'localhost:5000/a/b:1'],
    ['localhost/a', 'localhost/a:latest', 'localhost/a:latest'],
    ['user/app', 'docker.io/user/app:latest', 'user/app:latest'],
    ['index.docker.io/library/debian:12', 'docker.io/library/debian:12', 'debian:12'],
    ['[::1]:5000/x', '[::1]:5000/x:latest', '[::1]:5000/x:latest'],
    [`a@sha256:${'0'.repeat(64)}`, `docker.io/library/a@sha256:${'0'.repeat(64)}`, `a@sha256:${'0'.repeat(64)}`],
  ])('%s', (text, canonical, familiar) => {
    expect(formatReference(parseReference(text))).toBe(canonical)
    expect(familiarReference(parseReference(text))).toBe(familiar)
  })

  test.each(['Debian', '', 'a:b:c', 'a@md5:1', '-a', 'a//b', 'a/b:', 'x@y@z', 'b'.repeat(256)])('refuses %j', text => {
    expect(() => parseReference(text)).toThrow(/invalid image reference/)
  })
})
