import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Warning } from '#diagnostics'
import { parseDockerfile, parseIgnoreFile } from '#dockerfile'
import { checkNames, checkPage, lintDockerfile } from '#lint'
import { planBuild } from '#plan'

const ignore = parseIgnoreFile({ name: '.dockerignore', text: '*.log\n' })
const platform = { os: 'linux', architecture: 'arm64' } as const

/** What both rooms say about a file, every base image being an empty one. */
async function check(text: string, buildArgs: Readonly<Record<string, string>> = {}): Promise<readonly Warning[]> {
  const tree = parseDockerfile({ name: 'Dockerfile', text })
  const found: Warning[] = []
  await planBuild({
    tree,
    platform,
    buildArgs,
    everyStage: true,
    resolveImage: async (reference, { os, architecture }) => ({
      reference,
      id: `sha256:${'0'.repeat(64)}`,
      config: {
        os,
        architecture: reference.includes('amd64-only') ? 'amd64' : architecture,
        config: {},
        rootfs: { type: 'layers', diff_ids: [] },
        history: [],
      },
    }),
    warn: warning => found.push(warning),
  })
  return lintDockerfile(tree, { found, ignore })
}

function example(page: string, title: string): string {
  const section = page.split(`\n## ${title}\n`)[1] ?? ''
  return /```dockerfile\n(.*?)```/s.exec(section)?.[1] ?? ''
}

describe('15.3 docs/checks', () => {
  test.each(checkNames)('the bad example of %s makes it speak, the good one nothing', async name => {
    const page = readFileSync(checkPage(name), 'utf8')
    expect(page.startsWith(`# ${name}\n`)).toBe(true)
    // The file with the wrong default can only be planned with a value.
    const buildArgs = name === 'InvalidDefaultArgInFrom' ? { TAG: '12' } : {}
    expect((await check(example(page, 'Bad'), buildArgs)).map(({ code }) => code)).toContain(name)
    expect(example(page, 'Good')).toMatch(/^FROM/m)
    expect(await check(example(page, 'Good'))).toEqual([])
  })

  test('the list names them all', () => {
    const [list = ''] = readFileSync('docs/checks/README.md', 'utf8').split('## More rules')
    const linked = [...list.matchAll(/^\| \[(\w+)\]\((\w+)\.md\)/gm)].map(([, name, file]) => [name, file])
    expect(linked).toEqual(checkNames.map(name => [name, name]))
  })

  test.each([
    ['UndefinedVar', 'FROM scratch\nARG VERSION\nLABEL a="$VERSOIN"', '$VERSOIN', 'did you mean $VERSION?'],
    ['UndefinedVar', 'FROM scratch AS a\nUSER ${X}\nFROM scratch', '${X}', 'declare it with ARG or ENV'],
    ['UndefinedArgInFrom', 'ARG BASE=x\nFROM y${BAES}', '${BAES}', 'did you mean $BASE?'],
    [
      'InvalidBaseImagePlatform',
      'FROM amd64-only',
      'amd64-only',
      'use an image that has this platform, or another --platform',
    ],
  ])('%s, which planning finds: %j', async (name, text, words, hint) => {
    const [warning] = (await check(text)).filter(({ code }) => code === name)
    expect(warning).toMatchObject({ hint, url: `docs/checks/${name}.md` })
    expect(warning?.at?.source.text.slice(warning.at.span.start, warning.at.span.end)).toBe(words)
  })
})
