import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const executable = fileURLToPath(new URL('../../bin/slipway.js', import.meta.url))

let root = ''

interface Result {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function slipway(
  args: readonly string[],
  input: string | Buffer = '',
  environment: Record<string, string> = {},
): Result {
  const env = { PATH: process.env['PATH'], HOME: root, SLIPWAY_ROOT: join(root, 'store'), ...environment }
  const { status, stdout, stderr } = spawnSync(process.execPath, [executable, ...args], {
    env,
    cwd: root,
    input,
    maxBuffer: 1 << 26,
  })
  return { status, stdout: stdout.toString(), stderr: stderr.toString() }
}

function ok(args: readonly string[], input: string | Buffer = '', environment: Record<string, string> = {}): Result {
  const result = slipway(args, input, environment)
  expect(result, args.join(' ')).toMatchObject({ status: 0 })
  return result
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-'))
  mkdirSync(join(root, 'context'))
  writeFileSync(join(root, 'context/file'), 'content\n')
  writeFileSync(
    join(root, 'context/Dockerfile'),
    'ARG BASE=scratch\nFROM $BASE AS one\nARG WHO\nCOPY file /file\nENV WHO=$WHO\n\nFROM one\nCOPY file /two/\nCMD ["/none"]\n',
  )
  ok(['build', '-t', 'app', '-t', 'other:1', '--label', 'a=b', 'context'])
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const imageId = (name: string): string => {
  const [found] = JSON.parse(ok(['inspect', name]).stdout) as { Id: string }[]
  return found?.Id ?? ''
}

test('images: a table, ids, JSON, a filter', () => {
  const lines = ok(['images']).stdout.trimEnd().split('\n')
  expect(lines[0]).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/)
  const short = imageId('app').slice(7, 19)
  expect(lines.slice(1).map(line => line.split(/ {2,}/).slice(0, 3))).toEqual([
    ['app', 'latest', short],
    ['other', '1', short],
  ])
  expect(ok(['images', '-q']).stdout).toBe(`${short}\n`)
  expect(ok(['images', '-q', '--no-trunc', 'app']).stdout).toBe(`${imageId('app')}\n`)
  expect(ok(['images', '-q', 'app:2']).stdout).toBe('')
  const [first] = ok(['images', '--format', 'json', 'other']).stdout.split('\n')
  expect(JSON.parse(first ?? '')).toMatchObject({ Repository: 'other', Tag: '1', ID: short, SizeBytes: 16 })
})

test('history and inspect', () => {
  const history = ok(['history', '--format', 'json', 'app']).stdout.trimEnd().split('\n')
  const rows = history.map(line => JSON.parse(line) as { CreatedBy: string; SizeBytes: number; ID: string })
  expect(rows.map(row => [row.CreatedBy, row.SizeBytes])).toEqual([
    ['CMD ["/none"]', 0],
    ['COPY file /two/ # buildkit', 8],
    ['ENV WHO=', 0],
    ['COPY file /file # buildkit', 8],
    ['ARG WHO', 0],
  ])
  expect(rows.reduce((sum, row) => sum + row.SizeBytes, 0)).toBe(16)
  expect(rows[0]?.ID).toBe(imageId('app').slice(7, 19))
  const [inspected] = JSON.parse(ok(['inspect', 'app']).stdout) as unknown[]
  expect(inspected).toMatchObject({
    RepoTags: ['app:latest', 'other:1'],
    Size: 16,
    Config: { Cmd: ['/none'], Labels: { a: 'b' } },
    RootFS: { Type: 'layers', Layers: [expect.stringMatching(/^sha256:/), expect.stringMatching(/^sha256:/)] },
  })
})

describe('build', () => {
  test('a second time nothing is made', () => {
    const { stderr, stdout } = ok(['build', '--progress', 'plain', '--label', 'a=b', 'context'])
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^#\d+ \[one 2\/2\] COPY file \/file$/m)
    expect(stderr).not.toMatch(/DONE/)
    expect(stderr).toContain(`image ${imageId('app')}`)
  })

  test('quiet: nothing but the id', () => {
    expect(ok(['build', '-q', '--label=a=b', 'context'])).toEqual({
      status: 0,
      stdout: `${imageId('app')}\n`,
      stderr: '',
    })
  })

  test('JSON progress: every line is an event, the last one is the result', () => {
    const { stderr } = ok(['build', '--no-cache', '--progress', 'json', '-t', 'json:1', 'context'])
    const events = stderr
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { kind: string })
    expect(new Set(events.map(event => event.kind))).toEqual(new Set(['begin', 'transfer', 'done', 'result']))
    expect(events.at(-1)).toMatchObject({ kind: 'result', image: imageId('json:1'), names: ['json:1'] })
    ok(['rmi', 'json:1'])
  })

  test('a failure is the last JSON event, and nothing else is written', () => {
    const { status, stderr } = slipway(
      ['build', '--progress', 'json', '-f', '-', 'context'],
      'FROM scratch\nCOPY no /\n',
    )
    expect(status).toBe(1)
    const last = stderr.trimEnd().split('\n').at(-1) ?? ''
    expect(JSON.parse(last)).toMatchObject({ kind: 'error', at: { file: '<stdin>', line: 2, column: 6 }, exitCode: 1 })
  })

  test('arguments: NAME=VALUE, and NAME from the environment', () => {
    const env = (args: string[], environment: Record<string, string>): unknown => {
      const { stdout } = ok(['build', '-q', ...args, 'context'], '', environment)
      const [image] = JSON.parse(ok(['inspect', stdout.trim()]).stdout) as { Config: { Env: string[] } }[]
      return image?.Config.Env.at(-1)
    }
    expect(env(['--build-arg', 'WHO=me'], {})).toBe('WHO=me')
    expect(env(['--build-arg', 'WHO'], { WHO: 'you' })).toBe('WHO=you')
    expect(env(['--build-arg', 'WHO'], {})).toBe('WHO=')
  })

  test('files for scripts', () => {
    ok(['build', '--iidfile', 'id', '--metadata-file', 'meta.json', '-t', 'app', '--label', 'a=b', 'context'])
    expect(readFileSync(join(root, 'id'), 'utf8')).toBe(imageId('app'))
    expect(JSON.parse(readFileSync(join(root, 'meta.json'), 'utf8'))).toMatchObject({
      'containerimage.config.digest': imageId('app'),
      'image.name': 'docker.io/library/app:latest',
      'slipway.steps': [
        { stage: 'one', line: 4, instruction: 'COPY file /file', cached: true, size: 8 },
        { stage: 'stage-1', line: 8, instruction: 'COPY file /two/', cached: true, size: 8 },
      ],
    })
  })

  test('outputs: archives, a layout, a directory, standard output', () => {
    const outputs = ['type=oci,dest=oci.tar', 'type=oci,tar=false,dest=layout', 'type=docker,dest=docker.tar', 'files']
    ok(['build', ...outputs.flatMap(output => ['-o', output]), 'context'])
    expect(readFileSync(join(root, 'files/two/file'), 'utf8')).toBe('content\n')
    expect(existsSync(join(root, 'layout/index.json'))).toBe(true)
    expect(readdirSync(root).filter(name => name.includes('part'))).toEqual([])
    const tar = ok(['build', '-o', '-', 'context']).stdout
    expect(tar).toContain('two/file')
    const twice = slipway(['build', '-o', '-', '-o', 'type=oci', 'context'])
    expect(twice.status).toBe(2)
  })

  test('the plan, without building', () => {
    const { stdout } = ok(['build', '--print-plan', 'context'])
    expect(JSON.parse(stdout)).toMatchObject({ target: 1, stages: [{ name: 'one' }, { name: 'stage-1' }] })
  })

  test('a Dockerfile from standard input, without a context', () => {
    ok(['build', '-t', 'stdin', '-'], 'FROM app\nENV A=1\n')
    const copy = slipway(['build', '-'], 'FROM scratch\nCOPY a /a\n')
    expect(copy.stderr).toMatch(/no context/)
    expect(copy.status).toBe(1)
    ok(['rmi', 'stdin'])
  })

  test('a named context with its own ignore file', () => {
    mkdirSync(join(root, 'more'))
    writeFileSync(join(root, 'more/.dockerignore'), 'hidden\n')
    for (const name of ['hidden', 'seen']) writeFileSync(join(root, 'more', name), name)
    const args = ['build', '--build-context', 'more=more', '-f', '-', '-o', 'named', 'context']
    ok(args, 'FROM scratch\nCOPY --from=more . /\n')
    expect(readdirSync(join(root, 'named')).filter(name => /seen|hidden/.test(name))).toEqual(['seen'])
  })
})

test('names come and go', () => {
  const id = imageId('app')
  ok(['tag', 'app', 'localhost:5000/team/app:1'])
  expect(imageId('localhost:5000/team/app:1')).toBe(id)
  expect(imageId(id.slice(7, 15))).toBe(id)
  expect(slipway(['rmi', id]).stderr).toMatch(/several names|--force/)
  expect(slipway(['rmi', 'localhost:5000/team/app:1', 'nothing']).status).toBe(1)
  expect(imageId('localhost:5000/team/app:1')).toBe(id)
  expect(ok(['rmi', 'localhost:5000/team/app:1']).stdout).toBe('Untagged: localhost:5000/team/app:1\n')
})

test('save and load, export and import', () => {
  const id = imageId('app')
  ok(['save', '-o', 'saved.tar', 'app', 'other:1'])
  const other = { SLIPWAY_ROOT: join(root, 'second') }
  const archive = readFileSync(join(root, 'saved.tar'))
  expect(ok(['load', '-q'], archive, other).stdout).toBe('Loaded image: app:latest\nLoaded image: other:1\n')
  expect(ok(['images', '-q', '--no-trunc'], '', other).stdout).toBe(`${id}\n`)
  ok(['export', '-o', 'files.tar', 'app'], '', other)
  ok(['import', '-c', 'CMD ["/x"]', '-c', 'ENV A=1', '-m', 'note', 'files.tar', 'imported'], '', other)
  const [imported] = JSON.parse(ok(['inspect', 'imported'], '', other).stdout) as unknown[]
  expect(imported).toMatchObject({ Size: 16, Comment: 'note', Config: { Cmd: ['/x'] } })
  expect(slipway(['import', '-c', 'RUN x', 'files.tar'], '', other).stderr).toMatch(/RUN/)
})

test('pruning: all needs a yes', () => {
  const other = { SLIPWAY_ROOT: join(root, 'second') }
  expect(slipway(['prune', '--all'], '', other).stderr).toMatch(/--force/)
  const { stdout } = ok(['prune', '--all', '--force', '--format', 'json'], '', other)
  expect((JSON.parse(stdout) as { ImagesDeleted: string[] }).ImagesDeleted).toHaveLength(2)
  expect(ok(['images', '-q'], '', other).stdout).toBe('')
  const rows = ok(['df', '--format', 'json'], '', other).stdout.trimEnd().split('\n')
  expect(rows.map(row => (JSON.parse(row) as { SizeBytes: number }).SizeBytes)).toEqual([0, 0, 0, 0, 0])
})
