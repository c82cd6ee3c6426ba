import { Command } from 'commander'
import { expect, test } from 'vitest'
import { plainBooleanFlags } from './boolean-flags.ts'

const command = new Command('run')
  .option('--rm')
  .option('-i, --interactive')
  .option('-t, --tty')
  .option('-e, --env <value>')
  .option('--human')
  .option('--no-human')
  .option('--no-cache')
  .option('--keep [name]')

test.each<[args: string[], plain: string[]]>([
  [
    ['--rm=true', 'image'],
    ['--rm', 'image'],
  ],
  [['--rm=false', 'image'], ['image']],
  [
    ['--human=0', 'image'],
    ['--no-human', 'image'],
  ],
  [['--no-cache=true'], ['--no-cache']],
  [['--no-cache=false'], []],
  [
    ['--env=A=true', 'image'],
    ['--env=A=true', 'image'],
  ],
  [
    ['--env', '--rm=true', 'image'],
    ['--env', '--rm=true', 'image'],
  ],
  [
    ['-e', '--rm=true', 'image'],
    ['-e', '--rm=true', 'image'],
  ],
  [
    ['-ite', '--rm=true', '--tty=t', 'image'],
    ['-ite', '--rm=true', '--tty', 'image'],
  ],
  [
    ['-eA', '--tty=t', 'image'],
    ['-eA', '--tty', 'image'],
  ],
  [
    ['--', '--rm=true'],
    ['--', '--rm=true'],
  ],
  [
    ['image', '--rm=true'],
    ['image', '--rm=true'],
  ],
  [
    ['--keep', 'image'],
    ['--keep=', 'image'],
  ],
  [
    ['--keep=name', 'image'],
    ['--keep=name', 'image'],
  ],
  [
    ['--unknown=true', 'image'],
    ['--unknown=true', 'image'],
  ],
])('%j', (args, plain) => {
  expect(plainBooleanFlags(command, args, { passThrough: true })).toEqual(plain)
})

test('without pass-through, options may follow operands', () => {
  expect(plainBooleanFlags(command, ['image', '--rm=true'], { passThrough: false })).toEqual(['image', '--rm'])
})

test('other words are wrong usage', () => {
  expect(() => plainBooleanFlags(command, ['--rm=maybe'], { passThrough: true })).toThrow(/"maybe" for --rm/)
})
