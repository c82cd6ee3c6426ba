import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import type { CommandLine } from './command-line.ts'
import { withoutMirror } from './report-page.ts'

/** Takes a picture (PNG, 1400 pixels wide, light) of the page that `analyze --html` writes for an image. Needs Chromium. */
export async function takePicture(image: string, file: string, slipway: CommandLine): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'slipway-picture-'))
  const path = join(scratch, 'page.html')
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  try {
    await slipway.read(['analyze', '--html', path, image])
    writeFileSync(path, withoutMirror(readFileSync(path, 'utf8')))
    const page = await browser.newPage({ colorScheme: 'light', viewport: { width: 1400, height: 820 } })
    await page.goto(pathToFileURL(path).href)
    mkdirSync(dirname(file), { recursive: true })
    await page.screenshot({ path: file })
  } finally {
    await browser.close()
    rmSync(scratch, { recursive: true })
  }
}
