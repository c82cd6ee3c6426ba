import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { type DockerfileTree, parseDockerfile } from '#dockerfile'
import { isCheckName } from './check-names.ts'
import { lintDockerfile } from './lint-dockerfile.ts'

const line = fc.oneof(
  fc.constantFrom(
    'FROM scratch AS a',
    'from $BASE as B',
    'FROM --platform=linux/amd64 a',
    'ARG BASE=${X:-a}',
    'ENV a b',
    'ENV TOKEN=$a PASSWORD="x',
    'CMD [a]',
    'ENTRYPOINT ["a"]',
    'WORKDIR ${X#',
    'EXPOSE 1:2/TCP 3 ${a:-4}/UDP',
    'COPY a.log "b c" /',
    'ONBUILD ENV KEY x',
    'MAINTAINER me',
    'RUN x \\',
    '',
    '# check=skip=all',
    '# check=error=true;experimental=all',
    '# a description',
    'SHELL ["x"]',
  ),
  fc.string({ maxLength: 30 }),
)

test('15.3 whatever the file, every warning stands inside it, and wrong settings are the user’s to mend', () => {
  let linted = 0
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), lines => {
      const text = ['FROM scratch', ...lines].join('\n')
      try {
        const tree: DockerfileTree = parseDockerfile({ name: 'Dockerfile', text })
        for (const { code, at, url } of lintDockerfile(tree)) {
          expect(at?.span.start).toBeGreaterThanOrEqual(0)
          expect(at?.span.end).toBeLessThanOrEqual(text.length)
          expect(url === undefined).toBe(!isCheckName(code))
        }
        linted++
      } catch (error) {
        if (!(error instanceof UserError)) throw error
      }
    }),
    { numRuns: 2000 },
  )
  expect(linted).toBeGreaterThan(100)
})

test('a file of tens of thousands of warnings takes no more than linear time', () => {
  const part = '# check=skip=StageNameCasing\nFROM $B AS B\n# check=skip=UndefinedVar\nENV a b\n'
  const tree = parseDockerfile({ name: 'Dockerfile', text: part.repeat(20_000) })
  const start = performance.now()
  expect(lintDockerfile(tree).length).toBeGreaterThan(50_000)
  // Anything quadratic takes minutes.
  expect(performance.now() - start).toBeLessThan(20_000)
}, 60_000)
