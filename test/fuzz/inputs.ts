import fc, { type Arbitrary } from 'fast-check'
import { type Member, writeArchive } from '../oracle/tar-archive.ts'

const keywords =
  'FROM RUN COPY ADD ENV ARG LABEL CMD ENTRYPOINT ONBUILD HEALTHCHECK SHELL VOLUME EXPOSE USER WORKDIR scratch AS a /x ' +
  '--from= --mount=type=cache,target= --link --chmod= -- = " \' ` \\ $ ${ } ${a:- ${a#*} ${a//x/ :? <<EOF <<-E EOF E [" "] ' +
  '[ ] # NONE é * ? / // %% ! **/ # check=skip= --interval=5s 80/tcp a=b ["a","b"]'
const blanks = ['", "', '# escape=`', '# syntax=x\n', '<< ', ' ', '\t', '\n', '\n', '\n', '\\\n', '`\n', '\r\n']
const oddities = ['\u{feff}', '\u0000', '\u2028', '\u{1f600}', '\ud800']
const fragment = fc.constantFrom(...keywords.split(' '), ...blanks, ...oddities)

/** Texts that come near to Dockerfiles, and some that do not. */
export const dockerfiles: Arbitrary<string> = fc.oneof(
  fc.array(fragment, { maxLength: 60 }).map(parts => parts.join('')),
  fc.array(fragment, { maxLength: 60 }).map(parts => `FROM scratch\n${parts.join(' ')}`),
  fc.tuple(fc.array(fragment, { maxLength: 4 }), fc.integer({ min: 1, max: 3000 })).map(([parts, times]) => {
    return `FROM scratch\nENV a=${parts.join('').repeat(times)}`
  }),
  fc.string({ unit: 'binary', maxLength: 200 }),
)

const pieces = [
  '*',
  '**',
  '?',
  '/',
  'a',
  'b',
  '.',
  '..',
  '!',
  '[',
  ']',
  '[a-c]',
  '[^a]',
  '\\',
  '#',
  ' ',
  '\n',
  'é',
  '\u0000',
]

/** An ignore file and a path to ask it for. */
export const ignoreCases: Arbitrary<readonly [file: string, path: string]> = fc.tuple(
  fc.array(fc.constantFrom(...pieces, '**/', '*/', '\n!', '*a*'), { maxLength: 60 }).map(parts => parts.join('')),
  fc
    .array(fc.constantFrom('a', 'b', 'ab', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '.x', 'é', 'c'), {
      minLength: 1,
      maxLength: 12,
    })
    .map(parts => parts.join('/')),
)

const members: Arbitrary<Member> = fc
  .record({
    path: fc.constantFrom('a', 'a/b', '../up', '/abs', './', 'x'.repeat(99), 'é'),
    kind: fc.constantFrom<Member['kind'][]>('file', 'directory', 'symlink', 'hardlink', 'char', 'fifo'),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.integer({ min: 0, max: 0o7777777 }),
    size: fc.integer({ min: 0, max: 1500 }),
    link: fc.constantFrom('a', '../../..', ''),
    xattr: fc.boolean(),
  })
  .map(({ path, kind, mode, uid, size, link, xattr }) => ({
    path,
    kind,
    mode,
    uid,
    gid: uid,
    mtime: 1,
    link,
    body: Buffer.alloc(kind === 'file' ? size : 0, 'x'),
    ...(xattr ? { xattrs: { 'user.a': Buffer.from([0, 1, 0xff]) } } : {}),
  }))

type Damage = readonly [at: number, value: number, kind: number]

const damages: Arbitrary<readonly Damage[]> = fc.array(
  fc.tuple(fc.nat({ max: 8191 }), fc.integer({ min: 0, max: 255 }), fc.nat({ max: 9 })),
  { maxLength: 8 },
)

/** Archives with damage that still gets past the checksum: the sums of damaged headers are set right again. */
export const archives: Arbitrary<Buffer> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.tuple(fc.array(members, { maxLength: 4 }), damages).map(([list, hits]) => spoil(list, hits)),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3000 }).map(bytes => Buffer.from(bytes)) },
)

/** Places in a header where a changed byte means something else: size, checksum, type, magic, numbers in base 256. */
const interesting = [124, 125, 135, 156, 157, 257, 263, 345, 386, 482, 483]

function spoil(list: readonly Member[], hits: readonly Damage[]): Buffer {
  let archive = Buffer.from(writeArchive(list))
  for (const [at, value, kind] of hits) {
    if (archive.length === 0) break
    const offset = at % archive.length
    const block = offset - (offset % 512)
    if (kind === 9) archive = archive.subarray(0, offset)
    else if (kind >= 6)
      archive[Math.min(archive.length - 1, block + (interesting[value % interesting.length] ?? 0))] = value
    else if (kind >= 3) archive[offset] = value
    else if (kind >= 1)
      archive.write('gxLKSV120'.charAt(value % 9), Math.min(archive.length - 1, block + 156), 'latin1')
    else archive.copy(archive, block, 0, Math.min(512, archive.length - block))
    mendChecksum(archive, block)
  }
  return archive
}

function mendChecksum(archive: Buffer, block: number): void {
  if (block + 512 > archive.length) return
  const header = archive.subarray(block, block + 512)
  if (header.every(byte => byte === 0)) return
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
}
