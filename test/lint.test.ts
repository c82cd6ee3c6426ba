import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ended, slipway } from './slipway.ts'

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const lint = (args: readonly string[], input = ''): Promise<Ended> => slipway(['lint', ...args], { root, input })

const wasteful = `FROM debian:12 as build
MAINTAINER Jo <jo@example.test>
ADD app.conf /etc/app.conf
RUN apt install curl
RUN pip install flask==3.0.3
EXPOSE 80/TCP
USER app
CMD ["x"]
`

test('text with carets, exit codes, standard input, ignored rules', async () => {
  const found = await lint(['-'], wasteful)
  expect(found.code).toBe(1)
  expect(found.stdout).toContain('error: ADD also unpacks archives')
  expect(found.stdout).toMatch(/--> <stdin>:3:1\n.*\n3 \| ADD app\.conf \/etc\/app\.conf\n {2}\| \^\^\^\n/)
  expect((await lint(['--fail-on', 'never', '-'], wasteful)).code).toBe(0)
  expect((await lint(['-'], 'FROM debian:12\nEXPOSE 80\nUSER app\nCMD ["x"]\n')).code).toBe(0)
  expect((await lint(['--fail-on', 'style', '-'], 'FROM debian:12\nEXPOSE 80\nUSER app\nCMD ["x"]\n')).code).toBe(1)
  expect((await lint(['--ignore', 'DL3006', '-'], 'FROM debian\nUSER app\n')).code).toBe(0)
  const broken = await lint(['-'], 'FROM debian:12\nRUNN x\n')
  expect(broken.code).toBe(1)
  expect(broken.stdout).toContain('unknown instruction: RUNN (DockerfileError, DL1000)')
})

test('no secret is shown: not in excerpts, messages, changes or errors', async () => {
  const token = `gh${'p_'}${'aB3dE5gH7jK9mN1pQ2rS'}${'4tU6vW8xY0zA2cD4'}`
  const text = `FROM debian:12\nENV é(=1 B=$a API_KEY=letmein\nRUN pip install git+https://${token}@github.com/a/b\n`
  for (const format of ['text', 'json', 'sarif', 'checkstyle', 'github']) {
    const { code, stdout } = await lint(['--format', format, '-'], text)
    expect([code, stdout]).toEqual([1, expect.stringContaining('SecretInText')])
    expect(stdout).not.toMatch(/letmein|aB3dE5gH7jK9/)
  }
  const path = join(root, 'secret.Dockerfile')
  writeFileSync(path, text)
  const { stderr } = await lint(['--fix', path])
  expect(stderr).toContain('+RUN pip install --no-cache-dir git+https://***')
  expect(stderr).not.toContain('aB3dE5gH7jK9')
  expect(readFileSync(path, 'utf8')).toContain(`--no-cache-dir git+https://${token}@`)
  const wrong = await lint(['-'], `${text}ENV A="\n`)
  expect(wrong.stdout).toContain('a double quote is not closed')
  expect(wrong.stdout).not.toContain('aB3dE5gH7jK9')
  writeFileSync(path, `${text.replace('debian:12', 'scratch')}ENV A="\n`)
  const built = await slipway(['build', '-f', path, root], { root })
  expect([built.code, built.stderr]).toEqual([1, expect.stringContaining('a double quote is not closed')])
  expect(built.stderr).toContain('github.com/a/b')
  expect(built.stderr).not.toContain('aB3dE5gH7jK9')
})

test('JSON, SARIF, checkstyle, annotations', async () => {
  const json = JSON.parse((await lint(['--format', 'json', '-'], wasteful)).stdout) as {
    findings: { rule: string; codes: string[]; line: number; column: number; endColumn: number; fixable: boolean }[]
  }
  expect(json.findings.find(({ rule }) => rule === 'UseCopy')).toMatchObject({
    codes: ['DL3020'],
    line: 3,
    column: 1,
    endColumn: 4,
    fixable: true,
  })
  const sarif = JSON.parse((await lint(['--format', 'sarif', '-'], wasteful)).stdout) as {
    version: string
    runs: {
      results: {
        ruleId: string
        level: string
        locations: { physicalLocation: { artifactLocation: { uri: string }; region: object } }[]
      }[]
    }[]
  }
  expect(sarif.version).toBe('2.1.0')
  expect(sarif.runs[0]?.results.find(({ ruleId }) => ruleId === 'UseCopy')).toMatchObject({
    level: 'error',
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: '%3Cstdin%3E' },
          region: { startLine: 3, startColumn: 1, endLine: 3, endColumn: 4 },
        },
      },
    ],
  })
  expect((await lint(['--format', 'checkstyle', '-'], wasteful)).stdout).toMatch(
    /<error line="3" column="1" severity="error" message="[^"]+" source="UseCopy DL3020"\/>/,
  )
  expect((await lint(['--format', 'github', '-'], wasteful)).stdout).toMatch(
    /^::error file=<stdin>,line=3,col=1,endLine=3,endColumn=4,title=UseCopy DL3020::ADD also/m,
  )
})

test('--fix mends what is safe, shows it, and leaves the rest', async () => {
  mkdirSync(join(root, 'fixed'))
  writeFileSync(join(root, 'fixed/Dockerfile'), wasteful)
  const { stderr, stdout } = await lint(['--fix', 'fixed'])
  expect(readFileSync(join(root, 'fixed/Dockerfile'), 'utf8')).toBe(`FROM debian:12 AS build
LABEL org.opencontainers.image.authors="Jo <jo@example.test>"
COPY app.conf /etc/app.conf
RUN apt-get install -y curl
RUN pip install --no-cache-dir flask==3.0.3
EXPOSE 80/tcp
USER app
CMD ["x"]
`)
  expect(stderr).toContain('-RUN apt install curl\n')
  expect(stderr).toContain('+RUN apt-get install -y curl\n')
  expect(stdout).toContain('PinAptVersions')
  expect(stdout).not.toContain('UseCopy')
  // Nothing is left to mend.
  expect((await lint(['--fix', 'fixed'])).stderr).toBe('')
})

test("settings: ours and hadolint's", async () => {
  mkdirSync(join(root, 'settings'))
  writeFileSync(join(root, 'settings/Dockerfile'), 'FROM docker.io/debian:latest\nUSER app\n')
  const inside = (args: readonly string[] = []): Promise<Ended> =>
    slipway(['lint', ...args], { root, cwd: join(root, 'settings') })
  expect((await inside()).stdout).toContain('warning: docker.io/debian:latest')
  writeFileSync(
    join(root, 'settings/.hadolint.yaml'),
    'ignored: [DL3007]\ntrustedRegistries:\n  - my.registry.test\nfailure-threshold: error\n',
  )
  const trusted = await inside()
  expect(trusted.code).toBe(1)
  expect(trusted.stdout).toContain('TrustedRegistry, DL3026')
  expect(trusted.stdout).not.toContain('TagLatest')
  expect((await inside(['--no-config'])).stdout).toContain('TagLatest')
  writeFileSync(
    join(root, 'settings/.slipway-lint.yaml'),
    'override:\n  info: [DL3007]\nlabel-schema:\n  version: semver\n',
  )
  const ours = await inside()
  expect(ours.code).toBe(0)
  expect(ours.stdout).toContain('info: docker.io/debian:latest')
  expect(ours.stdout).toContain('the label version is missing')
  writeFileSync(join(root, 'settings/.slipway-lint.yaml'), 'ignoredd: []\n')
  const wrong = await inside()
  expect(wrong.code).toBe(1)
  expect(wrong.stderr).toContain('there is no setting "ignoredd"')
})
