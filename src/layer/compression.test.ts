import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { type Compressor, compressGzip, compressZstd, decompress, sniffCompression } from '#layer'

const programs = ['gzip', 'bzip2', 'xz', 'zstd'] as const
const isInstalled = (program: string) => spawnSync(program, ['--version'], { input: '' }).status === 0

function run(program: string, args: readonly string[], input: Uint8Array): Buffer {
  const result = spawnSync(program, args, { input, maxBuffer: 1 << 28 })
  if (result.status !== 0) throw new Error(`${program}: ${result.stderr.toString()}`)
  return result.stdout
}

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

/** Compressible in parts, as a layer is. */
function sampleOf(size: number): Buffer {
  const words = Array.from({ length: 2000 }, (_, i) => `word-${(i * 7919) % 1999}`)
  let text = ''
  for (let i = 0; text.length < size / 2; i++) text += ` ${words[(i * i + 13 * i) % words.length]}`
  return Buffer.concat([Buffer.from(text), randomBytes(size)]).subarray(0, size)
}

const sizes = [0, 1, 65_536, (1 << 20) - 1, 1 << 20, 2_300_001]

describe.each(programs)('%s', program => {
  const skip = !isInstalled(program)
  const libraries = program === 'xz' || program === 'bzip2' ? [true, false] : [true]

  describe.each(libraries)('with libraries: %s', withLibraries => {
    const options = { withLibraries, name: 'base.tar' }

    test.skipIf(skip)('what the program compressed', async () => {
      for (const size of sizes) {
        const sample = sampleOf(size)
        const packed = run(program, ['-1c'], sample)
        expect(sniffCompression(packed)).toBe(program)
        for (const chunk of [1000, packed.length]) {
          expect((await collect(decompress(chunksOf(packed, chunk), options))).equals(sample)).toBe(true)
        }
      }
    })

    test.skipIf(skip)('pieces that are good until the next one is asked for', async () => {
      const sample = sampleOf(2_300_001)
      const packed = run(program, ['-1c'], sample)
      const parts: Buffer[] = []
      const twice = chunksOf(Buffer.concat([packed, packed]), 40_000)
      for await (const part of decompress(twice, { ...options, transient: true })) parts.push(Buffer.from(part))
      expect(Buffer.concat(parts).equals(Buffer.concat([sample, sample]))).toBe(true)
    })

    test.skipIf(skip)('byte by byte', async () => {
      const packed = run(program, ['-1c'], Buffer.from('slow and steady'))
      expect((await collect(decompress(chunksOf(packed, 1), options))).toString()).toBe('slow and steady')
    })

    test.skipIf(skip)('one after the other', async () => {
      const pieces = [sampleOf(100_000), Buffer.alloc(0), sampleOf(300_000)]
      const packed = Buffer.concat(pieces.map(piece => run(program, ['-1c'], piece)))
      for (const chunk of [4096, packed.length]) {
        const plain = await collect(decompress(chunksOf(packed, chunk), options))
        expect(plain.equals(Buffer.concat(pieces))).toBe(true)
      }
    })

    test.skipIf(skip)('truncated or damaged is a UserError that names the data', async () => {
      const sample = sampleOf(400_000)
      const packed = run(program, ['-1c'], sample)
      for (const size of [20, 1000, packed.length - 1]) {
        const broken = collect(decompress(chunksOf(packed.subarray(0, size), 5000), options))
        await expect(broken).rejects.toThrow(/^base\.tar /)
        await expect(broken).rejects.toBeInstanceOf(UserError)
      }
      let refused = 0
      for (let i = 1; i <= 20; i++) {
        const damaged = Buffer.from(packed)
        const at = Math.floor((packed.length * i) / 21)
        damaged[at] = (damaged[at] ?? 0) ^ 0x55
        try {
          const plain = await collect(decompress(chunksOf(damaged, 5000), options))
          expect(plain.equals(sample)).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(UserError)
          refused++
        }
      }
      expect(refused).toBeGreaterThan(17)
    })

    test.skipIf(skip)('an error of the source stays itself, and a reader may stop early', async () => {
      const packed = run(program, ['-1c'], sampleOf(1_500_000))
      let isClosed = false
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield packed.subarray(0, 50_000)
        throw new RangeError('network gone')
      }
      await expect(collect(decompress(failing(), options))).rejects.toThrow(new RangeError('network gone'))

      async function* watched(): AsyncGenerator<Uint8Array> {
        try {
          yield* chunksOf(packed, 1000)
        } finally {
          isClosed = true
        }
      }
      for await (const piece of decompress(watched(), options)) {
        expect(piece.length).toBeGreaterThan(0)
        break
      }
      await expect.poll(() => isClosed, { timeout: 60_000 }).toBe(true)
    })
  })
})

test('what is not compressed passes', async () => {
  for (const text of ['', 'x', 'BZh9-photo.raw', '\x1f', 'a much longer text that is no archive']) {
    expect(sniffCompression(Buffer.from(text))).toBe('none')
    expect((await collect(decompress(chunksOf(Buffer.from(text), 3)))).toString()).toBe(text)
  }
})

test('skippable zstd frames are skipped', async () => {
  const skippable = Buffer.concat([Buffer.from('502a4d1803000000', 'hex'), Buffer.from('abc')])
  const empty = Buffer.from('5f2a4d1800000000', 'hex')
  const packed = Buffer.concat([
    skippable,
    zlib.zstdCompressSync('one'),
    empty,
    zlib.zstdCompressSync('two'),
    skippable,
  ])
  for (const size of [1, 5, 100]) {
    expect((await collect(decompress(chunksOf(packed, size)))).toString()).toBe('onetwo')
  }
  const cut = packed.subarray(0, packed.length - 1)
  await expect(collect(decompress(chunksOf(cut, 100)))).rejects.toThrow(/ends early/)
  const wrong = Buffer.concat([packed, Buffer.from('rest')])
  await expect(collect(decompress(chunksOf(wrong, 100)))).rejects.toThrow(/is damaged/)
})

test('an xz header that asks for gigabytes is refused', async () => {
  // Stream header, then a block header whose LZMA2 dictionary is 4 GiB - 1.
  const blockHeader = Buffer.from([0x02, 0x00, 0x21, 0x01, 40, 0, 0, 0])
  const crc = Buffer.alloc(4)
  crc.writeUInt32LE(zlib.crc32(blockHeader))
  const streamHeader = Buffer.from('fd377a585a0000016922de36', 'hex')
  const hostile = Buffer.concat([streamHeader, blockHeader, crc, Buffer.alloc(100)])
  await expect(collect(decompress(chunksOf(hostile, 1000)))).rejects.toThrow(/512 MiB of memory/)
})

const compressors: readonly (readonly [name: string, program: string, make: (level?: number) => Compressor])[] = [
  ['gzip', 'gzip', level => compressGzip(level === undefined ? {} : { level })],
  ['gzip of node', 'gzip', level => compressGzip({ withLibrary: false, ...(level !== undefined && { level }) })],
  ['zstd', 'zstd', level => compressZstd(level === undefined ? {} : { level })],
  ['zstd of node', 'zstd', level => compressZstd({ withLibrary: false, ...(level !== undefined && { level }) })],
]

describe.each(compressors)('compress: %s', (_, program, make) => {
  test('is read by its program and by us, and does not depend on how the source is cut', async () => {
    for (const size of sizes) {
      const sample = sampleOf(size)
      const packed = await collect(make()(chunksOf(sample, 70_001)))
      if (isInstalled(program)) expect(run(program, ['-dc'], packed).equals(sample)).toBe(true)
      expect((await collect(decompress(chunksOf(packed, 10_000)))).equals(sample)).toBe(true)
      for (const chunk of [999, 1 << 20, sample.length + 1]) {
        expect((await collect(make()(chunksOf(sample, chunk)))).equals(packed)).toBe(true)
      }
    }
  })

  test('gets smaller with the level, and as small as one stream would', async () => {
    const sample = sampleOf(4_000_000)
    const sizeAt = async (level: number) => (await collect(make(level)(chunksOf(sample, 1 << 16)))).length
    const [fast, small] = [await sizeAt(1), await sizeAt(9)]
    expect(small).toBeLessThan(fast)
    if (program === 'gzip') expect(small).toBeLessThan(zlib.gzipSync(sample, { level: 9 }).length * 1.005)
  })

  test('an error of the source comes through', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield sampleOf(3_000_000)
      throw new RangeError('disk gone')
    }
    await expect(collect(make()(failing()))).rejects.toThrow(new RangeError('disk gone'))
  })

  test.each([-1, 23, 1.5, Number.NaN])('refuses level %s', level => {
    expect(() => make(level)).toThrow(/has no level/)
  })
})

test('gzip has no time in its header, and stores at level 0', async () => {
  const packed = await collect(compressGzip({ level: 0 })(chunksOf(Buffer.from('plain'), 5)))
  expect([...packed.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
  expect(packed.includes('plain')).toBe(true)
})
