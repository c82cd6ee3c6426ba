import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { slipwayOk } from './slipway.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(path =>
  existsSync(path),
)

let root = ''
let browser: Browser
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'slipway-'))
  const context = join(root, 'context')
  // The end of a script, as a path.
  mkdirSync(join(context, 'docs/<'), { recursive: true })
  writeFileSync(join(context, 'docs/</script><b>.txt'), 'x'.repeat(4000))
  writeFileSync(join(context, 'a'), 'a'.repeat(6000))
  writeFileSync(join(context, 'b'), 'b'.repeat(1000))
  for (const [name, text] of [
    ['one', 'FROM scratch\nCOPY a docs /x/\nCOPY b /x/a\n'],
    ['two', 'FROM scratch\nCOPY a b /x/\n'],
  ] as const) {
    await slipwayOk(['build', '-q', '-t', name, '-f', '-', context], { root, cwd: root, input: text })
  }
  await slipwayOk(['analyze', '--html', 'one.html', 'one'], { root, cwd: root })
  await slipwayOk(['analyze', '--html', 'both.html', '--compare', 'two', 'one'], { root, cwd: root })
  if (executablePath !== undefined) browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
})
afterAll(async () => {
  await browser?.close()
  rmSync(root, { recursive: true, force: true })
})

test('it loads nothing, and names of files are no markup', () => {
  const page = readFileSync(join(root, 'one.html'), 'utf8')
  expect(page).not.toContain('</script><b>')
  expect(page).not.toMatch(/(src|href)=/)
  expect(page.match(/<script/g)).toHaveLength(2)
})

async function open(name: string, colorScheme: 'light' | 'dark' = 'light'): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1200, height: 700 } })
  const errors: string[] = []
  page.on('pageerror', error => errors.push(error.message))
  page.on('console', message => (message.type() === 'error' ? errors.push(message.text()) : undefined))
  await page.goto(pathToFileURL(join(root, name)).href)
  return { page, errors }
}

// Chromium is installed by .ci/run where it is missing.
test.skipIf(executablePath === undefined)('totals, layers, search, keyboard, in Chromium from file://', async () => {
  const { page, errors } = await open('one.html')
  expect(await page.textContent('#totals .waste')).toBe('6 kB')
  expect(await page.locator('.layer').count()).toBe(2)
  expect(await page.textContent('.layer >> nth=0')).toContain('6 kB hidden')
  // The map has something on it.
  const colors = await page.evaluate<number>(`{
    const canvas = document.getElementById('map')
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    new Set(Array.from({ length: data.length / 4 }, (_, i) => data.slice(4 * i, 4 * i + 3).join())).size
  }`)
  expect(colors).toBeGreaterThan(3)
  await page.focus('#layers')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  expect(await page.getAttribute('#layer-1', 'aria-selected')).toBe('true')
  expect(await page.textContent('#side-title')).toBe('Files of layer 1')
  await page.keyboard.press('Escape')
  await page.focus('#map')
  await page.keyboard.press('ArrowRight')
  expect(await page.textContent('#status')).toContain('/x')
  await page.keyboard.press('Enter')
  expect(await page.locator('#crumbs button').allTextContents()).toEqual(['/', 'x'])
  await page.keyboard.press('Escape')
  expect(await page.locator('#crumbs button').allTextContents()).toEqual(['/'])
  await page.keyboard.press('/')
  await page.keyboard.type('script')
  await page.locator('#side-title', { hasText: /found$/ }).waitFor()
  expect(await page.locator('#tree .node .name').allTextContents()).toContain('/x/</script><b>.txt')
  await page.click('#tab-savings')
  expect(await page.textContent('#panel-savings')).toContain('replaced-later')
  expect(await page.isVisible('#map')).toBe(false)
  expect(errors).toEqual([])
  await page.close()
})

test.skipIf(executablePath === undefined)('changes from another image; dark', async () => {
  const { page, errors } = await open('both.html', 'dark')
  expect(await page.getAttribute('html', 'data-theme')).toBe('dark')
  const rows = await page.locator('#changes .row').allTextContents()
  expect(rows).toEqual(['+1 kB−6 kB/x/a', '+4 kB/x/</script><b>.txt', '−1 kB/x/b'])
  await page.selectOption('#from', '0')
  expect(await page.locator('#changes .row').allTextContents()).toEqual(['+1 kB−6 kB/x/a'])
  await page.click('#theme')
  expect(await page.getAttribute('html', 'data-theme')).toBe('light')
  expect(errors).toEqual([])
  await page.close()
})
