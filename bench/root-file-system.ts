import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeNoise } from './inputs.ts'
import type { Bed } from './scenario.ts'

/** Packages that make a root file system of some 170 MB. */
const packages = ['perl', 'git', 'python3-minimal', 'ca-certificates', 'curl']

/**
 * Writes the archive of a root file system of about 170 MB: a Debian, where a mirror answers, else files of such sizes
 * as a Debian has. Gives a word about what it is.
 */
export async function fillRoot(bed: Bed, archive: string): Promise<string> {
  const yaml = join(bed.folder, 'debian.yaml')
  writeFileSync(yaml, `suite: bookworm\npackages:\n${packages.map(name => `  - ${name}\n`).join('')}`)
  try {
    await bed.run(bed.slipway.run('base', 'build', yaml, '-t', 'slipway-bench-debian'))
    await bed.run(bed.slipway.run('export', '-o', archive, 'slipway-bench-debian'))
    return `a Debian of ${packages.join(', ')}`
  } catch {
    await synthetic(bed, archive)
    return 'files of sizes as a Debian has them (no mirror answered)'
  }
}

/** The small base, and 8,000 files from 100 bytes to 2 MB of which half compresses. */
async function synthetic(bed: Bed, archive: string): Promise<void> {
  const root = mkdtempSync(join(bed.folder, 'root-'))
  await bed.run({ program: 'tar', args: ['-xf', join(bed.folder, 'base.tar'), '-C', root] })
  for (let i = 0; i < 8000; i++) {
    const folder = join(root, 'usr/share/bench', String(i % 400))
    if (i < 400) mkdirSync(folder, { recursive: true })
    // Most are small, few are large: the sum is some 170 MB.
    const size = 100 + Math.floor(3000 * Math.exp(((i * 7919) % 1000) / 160))
    writeNoise(join(folder, `file-${i}`), Math.min(size, 2 << 20), { seed: i, half: true })
  }
  await bed.run({ program: 'tar', args: ['--numeric-owner', '-cf', archive, '-C', root, '.'] })
  rmSync(root, { recursive: true, force: true })
}
