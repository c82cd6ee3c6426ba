import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { canSandbox } from './host.ts'
import { readOciArchive } from './oracle/image-archive.ts'
import { type MergedTree, mergeLayers } from './oracle/merged-tree.ts'
import { findBusybox } from './oracle/test-base.ts'
import { importTestBase, leftovers, slipwayOk, startSlipway } from './slipway.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-kill-'))
const seed = Number(process.env['SLIPWAY_TEST_SEED'] ?? Date.now() % 100_000)
const rounds = 20

const dockerfile = `FROM slipway-test/base AS one
COPY data /data
RUN for i in $(seq 1 200); do echo "$i" > "/data/made-$i"; done && sleep 0.1
FROM slipway-test/base AS two
WORKDIR /work
COPY data/big /work/big
RUN sha256sum /work/big > /work/sum && rm -r /usr/share/doc && sleep 0.1
FROM slipway-test/base
COPY --from=one /data /data
COPY --from=two /work /work
RUN ls /data /work | sort > /listing
CMD ["cat", "/listing"]
`

beforeAll(async () => {
  await importTestBase(root)
  mkdirSync(join(root, 'context/data/sub'), { recursive: true })
  writeFileSync(join(root, 'context/Dockerfile'), dockerfile)
  writeFileSync(join(root, 'context/data/big'), Buffer.alloc(8_000_000, 'some bytes that repeat '))
  for (let i = 0; i < 300; i++) writeFileSync(join(root, `context/data/sub/file-${i}`), `${i}\n`)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface Metadata {
  readonly 'slipway.steps': readonly { readonly line: number; readonly stage: string; readonly cached: boolean }[]
}

test(`a build killed at ${rounds} random moments (SLIPWAY_TEST_SEED=${seed}) loses nothing and leaks nothing`, async ({
  skip,
}) => {
  skip(!canSandbox || !findBusybox().runs, 'RUN needs root, mount namespaces and a static busybox')
  const random = generator(seed)
  const undisturbed = await build('undisturbed', ['--no-cache'])
  expect(undisturbed.tree.get('/listing')?.type).toBe('file')
  const cached = await build('cached')
  let killed = 0
  let kept = 0

  for (let round = 0; round < rounds; round++) {
    // Every second round starts anew, so that there is something to interrupt; the others go on with what is there.
    const fresh = round % 2 === 0
    if (fresh) await slipwayOk(['prune', '--all', '--force'], options).catch(() => undefined)
    if (fresh) await importTestBase(root)
    const moment = { events: Math.floor(random() * (fresh ? undisturbed : cached).events), later: random() * 100 }
    const { finished, signal } = await killedBuild(moment)
    if (signal === 'SIGKILL') killed++
    kept += finished.size
    const after = await build(`round ${round}, killed ${moment.later} ms after ${moment.events} events`)
    expect(Object.fromEntries(after.tree), `round ${round}`).toEqual(Object.fromEntries(undisturbed.tree))
    const again = after.steps.filter(step => finished.has(`${step.stage}:${step.line}`) && !step.cached)
    expect(again, `round ${round}: finished before the kill after ${moment.events} events, yet made again`).toEqual([])
    expect(leftovers(root), `round ${round}`).toEqual({ mounts: [], processes: [], temporaries: [] })
  }
  // Otherwise this would have tested nothing.
  expect(killed).toBeGreaterThan(rounds / 2)
  expect(kept).toBeGreaterThan(0)
}, 600_000)

const options = { root }

/** Counted in what the build has told, and milliseconds after that: the machine may be slow. */
interface Moment {
  readonly events: number
  readonly later: number
}

/** Steps (`stage:line`) that were reported as done before the process was killed. */
async function killedBuild(moment: Moment): Promise<{ finished: Set<string>; signal: NodeJS.Signals | null }> {
  const args = ['build', '--progress', 'json', '-o', `type=oci,dest=${join(root, 'killed.tar')}`, join(root, 'context')]
  const { child, ended, stderr } = startSlipway(args, options)
  let over = false
  void ended.then(() => (over = true))
  while (!over && eventsIn(stderr()) < moment.events) await sleep(2)
  await Promise.race([sleep(moment.later), ended])
  child.kill('SIGKILL')
  const { signal } = await ended
  return { finished: finishedSteps(stderr()), signal }
}

function eventsIn(progress: string): number {
  return progress.split('\n').length - 1
}

/** Reads the progress events: begins carry stage and text, dones the same id. */
function finishedSteps(events: string): Set<string> {
  const begun = new Map<number, string>()
  const finished = new Set<string>()
  for (const line of events.split('\n')) {
    if (!line.startsWith('{') || !line.endsWith('}')) continue
    const event = JSON.parse(line) as { kind: string; id?: number; text?: string; stage?: string }
    if (event.id === undefined) continue
    if (event.kind === 'begin') {
      const position = dockerfile
        .split('\n')
        .findIndex(each => each !== '' && event.text?.startsWith(each.slice(0, 20)))
      begun.set(event.id, `${event.stage}:${position + 1}`)
    }
    const step = begun.get(event.id)
    if (event.kind === 'done' && step !== undefined) finished.add(step)
  }
  return finished
}

async function build(name: string, args: readonly string[] = []) {
  const archive = join(root, 'image.tar')
  const metadata = join(root, 'metadata.json')
  const files = ['-o', `type=oci,dest=${archive}`, '--metadata-file', metadata]
  const { stderr } = await slipwayOk(
    ['build', '--progress', 'json', ...files, ...args, join(root, 'context')],
    options,
  ).catch((error: unknown) => {
    throw new Error(`${name}: ${String(error)}`)
  })
  const { 'slipway.steps': steps } = JSON.parse(readFileSync(metadata, 'utf8')) as Metadata
  return {
    tree: withoutTimes(mergeLayers(readOciArchive(readFileSync(archive)).layers)),
    steps,
    events: eventsIn(stderr),
  }
}

function withoutTimes(tree: MergedTree): MergedTree {
  return new Map([...tree].map(([path, node]) => [path, { ...node, mtime: 0 }]))
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function generator(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
