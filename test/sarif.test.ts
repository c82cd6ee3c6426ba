import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type SlipwayOptions, slipway } from './slipway.ts'

/** The schema is of draft 4, which the validator that comes with it still knows. */
const ofSarif = createRequire(createRequire(import.meta.url).resolve('@microsoft/jest-sarif/package.json'))
const schema = JSON.parse(
  readFileSync(ofSarif.resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'), 'utf8'),
) as object

interface Validator {
  addMetaSchema(meta: object): void
  compile(schema: object): ((value: unknown) => boolean) & { readonly errors?: readonly object[] | null }
}

function problems(log: unknown): readonly object[] {
  const Ajv = ofSarif('ajv') as new (options: object) => Validator
  const ajv = new Ajv({ schemaId: 'auto', allErrors: true })
  ajv.addMetaSchema(ofSarif('ajv/lib/refs/json-schema-draft-04.json') as object)
  const validate = ajv.compile(schema)
  return validate(log) ? [] : (validate.errors ?? [])
}

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-'))
  mkdirSync(join(root, 'context/with space'), { recursive: true })
  mkdirSync(join(root, 'clean'))
  writeFileSync(join(root, 'clean/readme'), 'nothing to hide\n')
  // Made of parts, so that nobody takes this file for a leak.
  const token = ['ghp', '16C7e42F292c6912E7710c838347Ae178B4a'].join('_')
  writeFileSync(join(root, 'context/with space/ä'), `token=${token}\n`)
  writeFileSync(
    join(root, 'context/Dockerfile'),
    `FROM scratch\nADD ["with space/ä", "/srv/with space/ä"]\nENV GITHUB=${token}\nLABEL token=${token}\n`,
  )
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function log(args: readonly string[], options: Partial<SlipwayOptions> = {}): Promise<Log> {
  return JSON.parse((await slipway(args, { root, ...options })).stdout) as Log
}

interface Log {
  readonly runs: readonly [{ readonly results: readonly { readonly ruleId: string; level: string }[] }]
}

describe('SARIF 2.1.0, as its schema has it', () => {
  test('the schema tells what is wrong', async () => {
    const good = await log(['scan', '--format', 'sarif', 'context'])
    expect(problems(good)).toEqual([])
    const [result] = good.runs[0].results
    if (!result) throw new Error('there is a secret')
    result.level = 'high'
    expect(problems(good)).not.toEqual([])
  })

  test('scan of an image: files, history, variables, labels', async () => {
    await slipway(['build', '-q', '--secrets=off', '-t', 'app', 'context'], { root })
    const found = await log(['scan', '--format', 'sarif', 'app'])
    expect(found.runs[0].results.length).toBeGreaterThanOrEqual(3)
    expect(problems(found)).toEqual([])
  })

  test('scan without findings', async () => {
    const none = await log(['scan', '--format', 'sarif', 'clean'])
    expect(none.runs[0].results).toEqual([])
    expect(problems(none)).toEqual([])
  })

  test('lint: of a file, of standard input, of a file that cannot be parsed, of nothing wrong', async () => {
    const wasteful = 'FROM debian\nRUN cd /x && apt-get install curl\nADD a /b\nRUN <<EOF\nsudo rm /x\nEOF\n'
    const inputs = [wasteful, 'FROM\n', '# only a comment\n', 'FROM scratch\nCOPY a /a\nUSER 1\n']
    const logs = [await log(['lint', '--format', 'sarif', 'context/Dockerfile'])]
    for (const input of inputs) logs.push(await log(['lint', '--format', 'sarif', '-'], { input }))
    expect(logs.map(each => problems(each))).toEqual(logs.map(() => []))
    expect(logs[1]?.runs[0].results.length).toBeGreaterThan(3)
  })
})
