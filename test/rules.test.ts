import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseDockerfile } from '#dockerfile'
import { type LintFinding, loadRules } from '#lint'

const { lintWithRules, defaultLintSettings, ruleNames, ruleTable } = await loadRules()

/** What pages about settings say that their example is checked with. */
const settings: Readonly<Record<string, Partial<typeof defaultLintSettings>>> = {
  TrustedRegistry: { trustedRegistries: ['registry.example.com'] },
  LabelMissing: { labelSchema: new Map([['org.opencontainers.image.version', 'semver']]) },
  LabelSuperfluous: { strictLabels: true, labelSchema: new Map([['org.opencontainers.image.version', 'semver']]) },
  LabelInvalid: { labelSchema: new Map([['org.opencontainers.image.version', 'semver']]) },
}

function lint(text: string, name = ''): readonly LintFinding[] {
  const tree = parseDockerfile({ name: 'Dockerfile', text })
  return lintWithRules(tree, { ...defaultLintSettings, ...settings[name] })
}

function example(page: string, title: string): string {
  const section = page.split(`\n## ${title}\n`)[1] ?? ''
  return /```dockerfile\n(.*?)```/s.exec(section)?.[1] ?? ''
}

describe('docs/checks has a page for every rule', () => {
  test.each(ruleNames)('the bad example of %s makes it speak, the good one is silent', name => {
    const page = readFileSync(`docs/checks/${name}.md`, 'utf8')
    expect(page.startsWith(`# ${name}\n`)).toBe(true)
    expect(page).toContain(`Severity: ${ruleTable[name].severity}.`)
    for (const code of ruleTable[name].codes) expect(page).toContain(code)
    const bad = lint(example(page, 'Bad'), name)
    expect(bad.map(({ code }) => code)).toContain(name)
    const good = lint(example(page, 'Good'), name)
    expect(example(page, 'Good')).toMatch(/^FROM/m)
    expect(good.map(({ code }) => code)).not.toContain(name)
    expect(good.filter(({ severity }) => severity === 'error')).toEqual([])
  })

  test('the list names them all', () => {
    const list = readFileSync('docs/checks/README.md', 'utf8').split('## More rules')[1] ?? ''
    expect([...list.matchAll(/^\| \[(\w+)\]\(\1\.md\)/gm)].map(([, name]) => name)).toEqual(ruleNames)
  })
})
