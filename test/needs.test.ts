import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasTool } from './host.ts'
import { type ElfSetup, machines, writeElf } from './oracle/write-elf.ts'
import { slipway, slipwayOk } from './slipway.ts'

const glibcLoader = '/lib64/ld-linux-x86-64.so.2'
const muslLoader = '/lib/ld-musl-x86_64.so.1'
const glibc = (version: string): ElfSetup => ({ soname: 'libc.so.6', names: ['GLIBC_2.2.5', `GLIBC_${version}`] })
const library = (soname: string, needed: readonly string[] = []): ElfSetup => ({ soname, needed })

/** Bases and programs without a line of code. */
const files: Readonly<Record<string, Readonly<Record<string, ElfSetup>>>> = {
  glibc: {
    [glibcLoader]: { soname: 'ld-linux-x86-64.so.2' },
    '/lib/x86_64-linux-gnu/libc.so.6': glibc('2.36'),
    '/lib/x86_64-linux-gnu/libz.so.1': library('libz.so.1', ['libc.so.6']),
  },
  old: { [glibcLoader]: { soname: 'ld-linux-x86-64.so.2' }, '/lib/x86_64-linux-gnu/libc.so.6': glibc('2.31') },
  musl: { [muslLoader]: { soname: 'libc.musl-x86_64.so.1' } },
  empty: { '/etc/nothing': {} },
  built: {
    [glibcLoader]: { soname: 'ld-linux-x86-64.so.2' },
    [muslLoader]: { soname: 'libc.musl-x86_64.so.1' },
    '/lib/x86_64-linux-gnu/libc.so.6': glibc('2.36'),
    '/lib/x86_64-linux-gnu/libz.so.1': library('libz.so.1', ['libc.so.6']),
    '/usr/lib/libm.so': library('libm.so'),
    '/opt/own/libown.so': library('libown.so', ['libc.so.6']),
    '/bin/of-glibc': { interpreter: glibcLoader, needed: ['libz.so.1', 'libc.so.6'], names: ['GLIBC_2.34'] },
    '/bin/of-musl': { interpreter: muslLoader, needed: ['libc.musl-x86_64.so.1'] },
    '/bin/static': {},
    '/bin/own': { interpreter: glibcLoader, needed: ['libown.so', 'libc.so.6'], runpath: '/opt/own' },
    '/bin/lost': { interpreter: glibcLoader, needed: ['libgone.so.9', 'libc.so.6'] },
    '/bin/arm64': { machine: machines.arm64, interpreter: '/lib/ld-linux-aarch64.so.1', needed: ['libc.so.6'] },
    '/bin/arm64-static': { machine: machines.arm64 },
    '/bin/s390x': { machine: machines.s390x, bigEndian: true },
    '/bin/ppc64': { machine: machines.ppc64, bigEndian: true },
    '/bin/arm': { machine: machines.arm, bits: 32 },
    '/bin/mips': { machine: machines.mips, bits: 32, bigEndian: true },
    '/bin/i386': { machine: machines.i386, bits: 32 },
  },
}

let root = ''
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'slipway-'))
  for (const [name, wanted] of Object.entries(files)) {
    const context = join(root, name)
    for (const [path, setup] of Object.entries(wanted)) {
      mkdirSync(dirname(join(context, 'files', path)), { recursive: true })
      writeFileSync(join(context, 'files', path), writeElf(setup), { mode: 0o755 })
    }
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY files /\n')
    await slipwayOk(['build', '-q', '--platform', 'linux/amd64', '-t', name, context], { root })
  }
  await slipwayOk(['build', '-q', '--platform', 'linux/arm64', '-t', 'for-arm64', join(root, 'empty')], { root })
}, 60_000)
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface Report {
  readonly libc: string
  readonly architectures: readonly string[]
  readonly problems: readonly string[]
  readonly broken: readonly { readonly name: string; readonly by: string }[]
  readonly needs: readonly { readonly path: string; readonly there?: string }[]
  readonly in?: { readonly problems: readonly string[] }
  readonly copy: readonly string[]
}

async function needs(path: string, other?: string): Promise<Report> {
  const rest = other === undefined ? [] : ['--in', other]
  const { stdout } = await slipwayOk(['needs', 'built', path, ...rest, '--format', 'json'], { root })
  return JSON.parse(stdout) as Report
}

test.skipIf(!hasTool('readelf'))('readelf reads the made-up files as they are meant', () => {
  const { stdout } = spawnSync('readelf', ['-hdl', join(root, 'built/files/bin/own')], { encoding: 'utf8' })
  expect(stdout).toMatch(/Machine: +Advanced Micro Devices X86-64/)
  expect(stdout).toMatch(/NEEDED\) +Shared library: \[libown\.so\]/)
  expect(stdout).toMatch(/RUNPATH\) +Library runpath: \[\/opt\/own\]/)
  expect(stdout).toContain(`[Requesting program interpreter: ${glibcLoader}]`)
  const big = spawnSync('readelf', ['-h', join(root, 'built/files/bin/s390x')], { encoding: 'utf8' })
  expect(big.stdout).toMatch(/Machine: +IBM S\/390/)
  expect(big.stdout).toMatch(/big endian/)
})

/** A program, another image, and why it cannot run there as it is. */
const table: readonly (readonly [program: string, image: string, problems: readonly RegExp[], missing: string])[] = [
  ['/bin/of-glibc', 'glibc', [], 'bin/of-glibc'],
  ['/bin/of-glibc', 'musl', [/linked with the GNU C library, musl has musl/], 'lib/x86_64-linux-gnu/libz.so.1'],
  ['/bin/of-musl', 'glibc', [/linked with musl, glibc has the GNU C library/], 'lib/ld-musl-x86_64.so.1'],
  ['/bin/of-musl', 'musl', [], 'bin/of-musl'],
  ['/bin/static', 'musl', [], 'bin/static'],
  ['/bin/static', 'empty', [], 'bin/static'],
  ['/bin/of-glibc', 'empty', [], 'lib64/ld-linux-x86-64.so.2'],
  ['/bin/of-glibc', 'old', [/ask for GLIBC_2\.34, old provides up to GLIBC_2\.31/], 'lib/x86_64-linux-gnu/libz.so.1'],
  ['/bin/arm64', 'glibc', [/are for arm64, glibc is for amd64/], 'bin/arm64'],
  ['/bin/arm64-static', 'for-arm64', [], 'bin/arm64-static'],
  ['/bin/static', 'for-arm64', [/are for amd64, for-arm64 is for arm64/], 'bin/static'],
  ['/bin/s390x', 'empty', [/are for s390x, empty is for amd64/], 'bin/s390x'],
  ['/bin/ppc64', 'empty', [/are for ppc64, empty/], 'bin/ppc64'],
  ['/bin/mips', 'empty', [/are for mips, empty/], 'bin/mips'],
  ['/bin/arm', 'empty', [/are for arm, empty/], 'bin/arm'],
  ['/bin/arm', 'for-arm64', [], 'bin/arm'],
  ['/bin/i386', 'empty', [], 'bin/i386'],
]

describe('C library and architecture', () => {
  test.each(table)('%s in %s', async (program, image, problems, missing) => {
    const report = await needs(program, image)
    expect(report.in?.problems).toHaveLength(problems.length)
    for (const [i, problem] of problems.entries()) expect(report.in?.problems[i]).toMatch(problem)
    expect(report.needs.find(({ path }) => path === missing)?.there).toBe('missing')
  })

  test('a program for another machine than its image is told, with an exit code', async () => {
    expect(await needs('/bin/arm64-static')).toMatchObject({
      architectures: ['arm64'],
      problems: ['a program is for arm64, built is for amd64'],
    })
    expect((await needs('/bin/i386')).problems).toEqual([])
    expect((await slipway(['needs', 'built', '/bin/s390x', '--exit-code'], { root })).code).toBe(1)
    expect((await slipway(['needs', 'built', '/bin/static', '--exit-code'], { root })).code).toBe(0)
  })
})

test('RUNPATH is followed; what nothing answers is told', async () => {
  const own = await needs('/bin/own')
  expect(own.broken).toEqual([])
  expect(own.copy).toContain('COPY --from=built /opt/own/libown.so /opt/own/')
  expect((await needs('/bin/lost')).broken).toEqual([{ name: 'libgone.so.9', by: 'bin/lost' }])
})
