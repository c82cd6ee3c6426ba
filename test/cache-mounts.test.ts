import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canSandbox } from './host.ts'
import { readArchive } from './oracle/tar-archive.ts'
import { findBusybox } from './oracle/test-base.ts'
import { importTestBase, leftovers, slipwayOk, startSlipway } from './slipway.ts'

/** 11.9 of the language page: caches of RUN. Each test has its own cache ids, and its own commands. */

const root = mkdtempSync(join(tmpdir(), 'slipway-mounts-'))
const canRun = canSandbox && findBusybox().runs

let count = 0

/** A context with this Dockerfile below `FROM slipway-test/base`. */
function context(steps: string, files: Readonly<Record<string, string>> = {}): string {
  const directory = join(root, `c${++count}`)
  mkdirSync(directory)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  writeFileSync(join(directory, 'Dockerfile'), `FROM slipway-test/base\n${steps}\n`)
  return directory
}

/** The files of the image that the build gives, path → text. */
async function built(directory: string, ...args: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const archive = join(directory, 'out.tar')
  await slipwayOk(['build', ...args, '-o', `type=tar,dest=${archive}`, directory], { root })
  const members = readArchive(readFileSync(archive))
  return new Map(members.map(({ path, body }) => [path, body.toString('utf8')]))
}

describe.skipIf(!canRun)('cache mounts', () => {
  beforeAll(async () => {
    await importTestBase(root)
  })
  afterAll(() => {
    expect(leftovers(root)).toEqual({ mounts: [], processes: [], temporaries: [] })
    rmSync(root, { recursive: true, force: true })
  })

  test('11.9: what is written stays for the next build, and reaches no layer', async () => {
    const mount = '--mount=type=cache,target=/cache,id=stays'
    await built(context(`RUN ${mount} echo kept > /cache/file`))
    const files = await built(context(`RUN ${mount} cat /cache/file > /seen`))
    expect(files.get('seen')).toBe('kept\n')
    expect([...files.keys()].filter(path => path.startsWith('cache'))).toEqual([])
  })

  test('11.9: the id is the target, cleaned, when none is given', async () => {
    await built(context('RUN --mount=type=cache,target=/the/cache/ echo kept > /the/cache/file'))
    const files = await built(
      context('RUN --mount=type=cache,id=/the/cache,target=/elsewhere cat /elsewhere/file > /seen'),
    )
    expect(files.get('seen')).toBe('kept\n')
  })

  test('11.9: a new cache belongs to the current USER; uid, gid and mode are kept as given', async () => {
    const files = await built(
      context(`USER 1234:567
RUN --mount=type=cache,target=/a,id=owner-a --mount=type=cache,target=/b,id=owner-b,uid=7 --mount=type=cache,target=/c,id=owner-c,gid=8,mode=0700 stat -c '%n %u %g %a' /a /b /c > /a/seen; cat /a/seen > /tmp/seen; echo mine > /a/mine`),
    )
    expect(files.get('tmp/seen')).toBe('/a 1234 567 755\n/b 7 567 755\n/c 1234 8 700\n')
  })

  test('11.9: uid, gid and mode do not change a cache that is there', async () => {
    await built(context('RUN --mount=type=cache,target=/a,id=first : first'))
    const files = await built(
      context(`RUN --mount=type=cache,target=/a,id=first,uid=7,mode=0700 stat -c '%u %a' /a > /seen`),
    )
    expect(files.get('seen')).toBe('0 755\n')
  })

  test('11.9: from and source give a new cache its first content, once', async () => {
    const mount = '--mount=type=cache,target=/cache,id=seeded,from=seed,source=/dir'
    const seed = (text: string): string =>
      `RUN mkdir -m 0750 /dir; echo ${text} > /dir/file; chown -R 5:6 /dir\nFROM slipway-test/base`
    const first = context(`${seed('one')}\nRUN ${mount} stat -c '%u %g %a' /cache > /seen; cat /cache/file >> /seen`)
    const second = context(`${seed('two')}\nRUN ${mount} cat /cache/file > /seen2`)
    for (const directory of [first, second]) {
      const path = join(directory, 'Dockerfile')
      writeFileSync(path, readFileSync(path, 'utf8').replace('base\n', 'base AS seed\n'))
    }
    expect((await built(first)).get('seen')).toBe('5 6 750\none\n')
    expect((await built(second)).get('seen2')).toBe('one\n')
  })

  test('11.9: a source cannot leave its stage', async () => {
    writeFileSync(join(root, 'outside'), 'outside\n')
    const directory = context(`RUN ln -s ../../../../../../../..${root} /link
FROM slipway-test/base
RUN --mount=type=cache,target=/cache,id=escape,from=seed,source=/link ls /cache`)
    const path = join(directory, 'Dockerfile')
    writeFileSync(path, readFileSync(path, 'utf8').replace('base\n', 'base AS seed\n'))
    await expect(built(directory)).rejects.toThrow(/which is not in stage "seed"/)
  })

  test('11.9: ro cannot be written to', async () => {
    const files = await built(
      context('RUN --mount=type=cache,target=/cache,id=ro,ro touch /cache/x 2> /dev/null || echo refused > /seen'),
    )
    expect(files.get('seen')).toBe('refused\n')
  })

  test('11.9: BUILDKIT_CACHE_MOUNT_NS keeps caches of one id apart', async () => {
    const mount = '--mount=type=cache,target=/cache,id=spaced'
    const mine = ['--build-arg', 'BUILDKIT_CACHE_MOUNT_NS=mine']
    await built(context(`RUN ${mount} echo of mine > /cache/file`), ...mine)
    const list = `RUN ${mount} ls /cache > /seen`
    expect((await built(context(`${list}; : 1`))).get('seen')).toBe('')
    expect((await built(context(`${list}; : 2`), '--build-arg', 'BUILDKIT_CACHE_MOUNT_NS=other')).get('seen')).toBe('')
    expect((await built(context(`${list}; : 3`), ...mine)).get('seen')).toBe('file\n')
  })

  test('11.9: two mounts of one RUN with the same id are one directory, also when one wants it alone', async () => {
    const files = await built(
      context(
        'RUN --mount=type=cache,target=/a,id=twice --mount=type=cache,target=/b,id=twice,sharing=locked echo x > /a/x; cat /b/x > /seen',
      ),
    )
    expect(files.get('seen')).toBe('x\n')
  })

  /** Two builds at once: each leaves a file in the cache, does something, and lists what it sees. */
  const together = async (id: string, sharing: string, work: (name: string) => string): Promise<readonly string[]> => {
    const lists = ['one', 'two'].map(async name => {
      const run = `touch /cache/${name}; ${work(name)}`
      const files = await built(context(`RUN --mount=type=cache,target=/cache,id=${id},sharing=${sharing} ${run}`))
      return files.get('seen') ?? ''
    })
    return (await Promise.all(lists)).toSorted()
  }

  test('11.9: shared: both write at once', async () => {
    // Until both are there, but not for ever.
    const wait = 'n=0; while [ "$(ls /cache | wc -l)" -lt 2 ] && [ $n -lt 200 ]; do sleep 0.1; n=$((n+1)); done'
    const lists = await together('both', 'shared', () => `${wait}; ls /cache > /seen`)
    expect(lists).toEqual(['one\ntwo\n', 'one\ntwo\n'])
  }, 60_000)

  test('11.9: locked: the second one waits for the first', async () => {
    const lists = await together('alone', 'locked', name => `sleep 2; ls /cache > /seen; rm /cache/${name}`)
    expect(lists).toEqual(['one\n', 'two\n'])
  }, 60_000)

  test('11.9: private: the second one gets another directory', async () => {
    const id = 'apart'
    const mount = `--mount=type=cache,target=/cache,id=${id},sharing=private`
    // The first waits until the second is through, which it could not be if it had to wait.
    const first = context(
      `RUN ${mount} --mount=type=cache,target=/signal,id=signal n=0; touch /cache/one /signal/one; while [ ! -e /signal/two ] && [ $n -lt 200 ]; do sleep 0.1; n=$((n+1)); done; ls /cache /signal > /seen`,
    )
    const second = context(
      `RUN ${mount} --mount=type=cache,target=/signal,id=signal n=0; while [ ! -e /signal/one ] && [ $n -lt 200 ]; do sleep 0.1; n=$((n+1)); done; touch /cache/two; ls /cache > /seen; touch /signal/two`,
    )
    const [one, two] = await Promise.all([built(first), built(second)])
    expect(one.get('seen')).toBe('/cache:\none\n\n/signal:\none\ntwo\n')
    expect(two.get('seen')).toBe('two\n')
  }, 60_000)

  test('caches locked in opposite orders do not wait for each other', async () => {
    const [a, b] = ['a', 'b'].map(name => `--mount=type=cache,target=/${name},id=order-${name},sharing=locked`)
    const builds = Array.from({ length: 4 }, (_, i) =>
      built(context(`RUN ${i % 2 === 0 ? `${a} ${b}` : `${b} ${a}`} sleep 0.3; : ${i}`)),
    )
    expect(await Promise.all(builds)).toHaveLength(4)
  }, 60_000)

  test('a killed build gives its locks free', async () => {
    const mount = '--mount=type=cache,target=/cache,id=killed,sharing=locked'
    const directory = context(`RUN ${mount} echo started; sleep 60`)
    const started = startSlipway(['build', '--progress', 'plain', directory], { root })
    await expect.poll(started.stderr, { timeout: 50_000 }).toContain(' started\n')
    started.child.kill('SIGKILL')
    await started.ended
    expect((await built(context(`RUN ${mount} echo done > /seen`))).get('seen')).toBe('done\n')
  }, 60_000)
})
