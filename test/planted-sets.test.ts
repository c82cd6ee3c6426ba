import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FoundPlace, isAbout, plantedImage } from './planted/second/planted-image.ts'
import type { Sample } from './planted/second/sample.ts'
import { nearMisses, secrets } from './planted/second/second-set.ts'
import { thirdNearMisses } from './planted/third/third-near-misses.ts'
import { thirdSecrets } from './planted/third/third-secrets.ts'
import { slipwayOk } from './slipway.ts'

/** How well a scan tells secrets from what looks like them, on sets that were written without looking at its rules. */

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface Finding {
  readonly rule: string
  readonly place: FoundPlace
  readonly masked: string
}

async function scanned(archive: Buffer): Promise<readonly Finding[]> {
  writeFileSync(join(root, 'planted.tar'), archive)
  const { stdout } = await slipwayOk(['scan', '--format', 'json', '--fail-on', 'never', 'planted.tar'], { root })
  return (JSON.parse(stdout) as { findings: readonly Finding[] }).findings
}

async function measure(name: string, planted: readonly Sample[], harmless: readonly Sample[]): Promise<void> {
  const { archive, plantings } = plantedImage(planted)
  const found = await scanned(archive)
  const missed = plantings.filter(planting => !found.some(({ place }) => isAbout(place, planting)))
  const stray = found.filter(({ place }) => !plantings.some(planting => isAbout(place, planting)))
  const wrong = await scanned(plantedImage(harmless).archive)
  const hits = planted.length - missed.length
  const alarms = stray.length + wrong.length
  const [recall, precision] = [hits / planted.length, hits / (hits + alarms)]
  console.log(
    `${name}: ${planted.length} secrets, ${hits} found (recall ${(100 * recall).toFixed(1)} %); ` +
      `${harmless.length} near misses, ${alarms} false alarms (precision ${(100 * precision).toFixed(1)} %)`,
  )
  const report = [
    ...missed.map(({ sample }) => `missed: ${sample.name}`),
    ...[...stray, ...wrong].map(each => `false alarm: ${each.rule} at ${JSON.stringify(each.place)} ${each.masked}`),
  ].join('\n')
  if (report !== '') console.log(report)
  expect(recall, report).toBeGreaterThanOrEqual(0.98)
  expect(precision, report).toBeGreaterThanOrEqual(0.95)
}

test('recall and precision over the second planted set', { timeout: 120_000 }, async () => {
  await measure('second set', secrets, nearMisses)
})

test('recall and precision over the third planted set', { timeout: 120_000 }, async () => {
  await measure('third set', thirdSecrets, thirdNearMisses)
})
