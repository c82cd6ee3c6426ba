import { expect, test } from 'vitest'
import type { ContainerConfig } from '#oci'
import { runProcess, type RunRequest } from './run-process.ts'

const plain: RunRequest = { words: [], env: [], tty: false, hostname: 'box' }

// What `docker run` starts for the same image and arguments.
test.each<[name: string, config: ContainerConfig, request: Partial<RunRequest>, argv: string[]]>([
  ['CMD', { Cmd: ['a', 'b'] }, {}, ['a', 'b']],
  ['words replace CMD', { Cmd: ['a'] }, { words: ['x', '-y'] }, ['x', '-y']],
  ['ENTRYPOINT with CMD', { Entrypoint: ['e'], Cmd: ['a'] }, {}, ['e', 'a']],
  ['ENTRYPOINT with words', { Entrypoint: ['e'], Cmd: ['a'] }, { words: ['x'] }, ['e', 'x']],
  ['--entrypoint makes CMD void', { Entrypoint: ['e'], Cmd: ['a'] }, { entrypoint: '/bin/sh' }, ['/bin/sh']],
  ['--entrypoint with words', { Cmd: ['a'] }, { entrypoint: 'sh', words: ['-c', 'x'] }, ['sh', '-c', 'x']],
  ['an empty --entrypoint', { Entrypoint: ['e'], Cmd: ['a'] }, { entrypoint: '', words: ['x'] }, ['x']],
  ['null lists', { Entrypoint: null, Cmd: null }, { words: ['x'] }, ['x']],
])('%s', (_name, config, request, argv) => {
  expect(runProcess(config, { ...plain, ...request }).argv).toEqual(argv)
})

test('nothing to run', () => {
  expect(() => runProcess({}, plain)).toThrow(/neither ENTRYPOINT nor CMD/)
  expect(() => runProcess({ Cmd: ['a'] }, { ...plain, entrypoint: '' })).toThrow(/nothing to run/)
})

test('the environment: defaults, image, command line, each name once', () => {
  const config = { Cmd: ['a'], Env: ['PATH=/bin', 'A=1', 'B=x=y'] }
  const { env } = runProcess(config, { ...plain, tty: true, env: [['A', '2']] })
  expect(env).toEqual(['PATH=/bin', 'HOSTNAME=box', 'TERM=xterm', 'A=2', 'B=x=y'])
})

test('directory and user', () => {
  const config = { Cmd: ['a'], WorkingDir: '/srv', User: 'app' }
  expect(runProcess(config, plain)).toMatchObject({ workdir: '/srv', user: 'app' })
  expect(runProcess(config, { ...plain, workdir: '/w', user: '0' })).toMatchObject({ workdir: '/w', user: '0' })
  expect(runProcess({ Cmd: ['a'], WorkingDir: '' }, plain)).toMatchObject({ workdir: '/', user: '' })
  expect(() => runProcess(config, { ...plain, workdir: 'w' })).toThrow(/not absolute/)
})
