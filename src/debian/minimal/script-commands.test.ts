import { describe, expect, test } from 'vitest'
import { scriptCommands } from './script-commands.ts'

const found = (script: string, ...names: string[]): readonly string[] =>
  scriptCommands(script, new Set(names)).map(words => words.join(' '))

describe('commands of maintainer scripts', () => {
  test.each<[string, string, readonly string[]]>([
    ['a literal one', 'adduser --system foo\n', ['adduser --system foo']],
    ['quotes', `adduser --gecos "A b" --home '/x y' foo\n`, ['adduser --gecos A b --home /x y foo']],
    ['continued lines', 'adduser --system \\\n  --group foo\n', ['adduser --system --group foo']],
    ['a comment', '# adduser foo\n', []],
    ['after a test', 'if ! getent passwd foo; then adduser foo; fi\n', ['adduser foo']],
    ['after &&', 'true && adduser foo >/dev/null 2>&1 || true\n', ['adduser foo']],
    ['a path', '/usr/sbin/adduser foo\n', ['/usr/sbin/adduser foo']],
    [
      'variables',
      'NAME=foo\nHOME_DIR="/var/$NAME"\nadduser --home ${HOME_DIR} $NAME\n',
      ['adduser --home /var/foo foo'],
    ],
    ['an unknown variable is empty', 'adduser $OPTIONS foo\n', ['adduser foo']],
    ['a value that only running tells', 'NAME=$(cat x)\nadduser foo\nadduser `name`\n', ['adduser foo']],
    ['such a value leaves the earlier one', 'N=a\nif x; then N=$(y); fi\nadduser $N\n', ['adduser a']],
    ['a loop', 'LIST="a b"\nfor i in $LIST c; do\n  adduser $i\ndone\n', ['adduser a', 'adduser b', 'adduser c']],
    [
      'a loop in a loop',
      'for i in a b; do for j in x y; do adduser $i$j; done; done\n',
      ['ax', 'ay', 'bx', 'by'].map(name => `adduser ${name}`),
    ],
    ['a while loop', 'while read x; do adduser $x; done\n', []],
    ['another program', 'useradd foo\n', []],
  ])('%s', (_, script, expected) => {
    expect(found(script, 'adduser')).toEqual(expected)
  })
})
