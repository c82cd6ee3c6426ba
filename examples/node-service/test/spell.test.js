import assert from 'node:assert/strict'
import test from 'node:test'
import { spell } from '../src/spell.js'

test('letters become flags', () => {
  assert.deepEqual(spell('S.O.S.'), ['Sierra', 'Oscar', 'Sierra'])
  assert.deepEqual(spell('Ål'), ['Alfa', 'Lima'])
  assert.deepEqual(spell('123'), [])
})
