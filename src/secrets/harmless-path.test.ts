import { expect, test } from 'vitest'
import { isPackagedExample } from './harmless-path.ts'

test.each([
  ['usr/lib/x86_64-linux-gnu/libgnutls.so.30.34.3', true],
  ['lib/aarch64-linux-gnu/libc.so.6', true],
  ['var/lib/apt/lists/mirror_dists_bookworm_main_i18n_Translation-en', true],
  ['usr/share/doc/openssl/examples/key.pem', true],
  ['app/node_modules/jws/test/keys/rsa.pem', true],
  ['usr/lib/x86_64-linux-gnu/key.pem', false],
  ['usr/lib/x86_64-linux-gnu/app/libkeys.so', false],
  ['app/lib/libserver.so', false],
  ['app/test/key.pem', false],
])('%s: everybody has what is in it: %s', (path, expected) => {
  expect(isPackagedExample(path)).toBe(expected)
})
