/** A library that the dynamic linker finds by name. */
export interface CachedLibrary {
  /** As programs ask for it. */
  readonly name: string
  /** Absolute. */
  readonly path: string
}

/** How each architecture's dynamic linker marks libraries of its own kind in the cache (glibc, `_DL_CACHE_DEFAULT_ID`). */
const marks: Readonly<Record<string, number>> = {
  amd64: 0x0303,
  arm64: 0x0a03,
  armel: 0x0b03,
  armhf: 0x0903,
  i386: 0x0003,
  loong64: 0x1103,
  ppc64el: 0x0503,
  riscv64: 0x1003,
  s390x: 0x0403,
}

const magic = 'glibc-ld.so.cache1.1'
const headerSize = 48
const entrySize = 24
const bigEndian = new Set(['s390x'])

/**
 * `/etc/ld.so.cache` as ldconfig(8) writes it (glibc's `struct cache_file_new`), for libraries of the architecture's own kind.
 * Undefined for an architecture whose mark we do not know: the linker then looks in its directories.
 */
export function loaderCache(libraries: readonly CachedLibrary[], architecture: string): Buffer | undefined {
  const mark = marks[architecture]
  if (mark === undefined) return undefined
  const isBig = bigEndian.has(architecture)
  const sorted = libraries.toSorted((a, b) => compareNames(b.name, a.name) || (a.path < b.path ? -1 : 1))
  const start = headerSize + entrySize * sorted.length
  const strings: Buffer[] = []
  let length = 0
  const place = (text: string): number => {
    const at = start + length
    const bytes = Buffer.from(`${text}\0`, 'latin1')
    strings.push(bytes)
    length += bytes.length
    return at
  }
  const head = Buffer.alloc(start)
  const u32 = (value: number, at: number): void =>
    void (isBig ? head.writeUInt32BE(value, at) : head.writeUInt32LE(value, at))
  head.write(magic, 'latin1')
  u32(sorted.length, 20)
  head.writeUInt8(isBig ? 3 : 2, 28)
  for (const [i, { name, path }] of sorted.entries()) {
    const at = headerSize + entrySize * i
    u32(mark, at)
    u32(place(name), at + 4)
    u32(place(path), at + 8)
  }
  u32(length, 24)
  return Buffer.concat([head, ...strings])
}

/** The order that the linker's search relies on: digits by number, and after other characters. */
function compareNames(a: string, b: string): number {
  let i = 0
  let j = 0
  while (i < a.length) {
    const [x, y] = [a.charCodeAt(i), j < b.length ? b.charCodeAt(j) : 0]
    if (isDigit(x) && isDigit(y)) {
      const [first, second] = [digits(a, i), digits(b, j)]
      if (Number(first) !== Number(second)) return Number(first) - Number(second)
      i += first.length
      j += second.length
    } else if (isDigit(x)) return 1
    else if (isDigit(y)) return -1
    else if (x !== y) return x - y
    else {
      i++
      j++
    }
  }
  return j < b.length ? -1 : 0
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function digits(text: string, at: number): string {
  return /^\d+/.exec(text.slice(at))?.[0] ?? ''
}
