import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { slipway, slipwayOk } from './slipway.ts'

const root = mkdtempSync(join(tmpdir(), 'slipway-trace-'))
const context = join(root, 'context')

beforeAll(() => {
  mkdirSync(join(context, 'many'), { recursive: true })
  for (let i = 0; i < 50; i++) writeFileSync(join(context, 'many', `file-${i}`), `${i}\n`)
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM scratch AS one
COPY many /many
FROM scratch AS two
COPY many/file-1 /
FROM scratch
COPY --from=one /many /from-one
COPY --from=two / /from-two
WORKDIR /srv
`,
  )
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

/** The Trace Event Format, of what we write of it. */
interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  readonly cat?: string
  readonly ts?: number
  readonly dur?: number
  readonly args?: Readonly<Record<string, unknown>>
}

function readTrace(path: string): readonly TraceEvent[] {
  const { traceEvents } = JSON.parse(readFileSync(path, 'utf8')) as { traceEvents: readonly TraceEvent[] }
  return traceEvents
}

/** Pairs on one thread that cross each other: a viewer would draw them wrongly. */
function crossing(events: readonly TraceEvent[]): string[] {
  const complete = events.filter(({ ph }) => ph === 'X')
  const end = ({ ts = 0, dur = 0 }: TraceEvent): number => ts + dur
  return complete.flatMap(a =>
    complete
      .filter(b => a.tid === b.tid && (a.ts ?? 0) < (b.ts ?? 0) && (b.ts ?? 0) < end(a) && end(a) < end(b))
      .map(b => `${a.name} crosses ${b.name}`),
  )
}

describe('build --trace', () => {
  test('a trace that viewers load: named threads, complete events that nest, every step, its parts and transfers', async () => {
    const path = join(root, 'trace.json')
    const { stderr } = await slipwayOk(
      ['build', '--no-cache', '--trace', path, '-o', `type=oci,dest=${join(root, 'a.tar')}`, context],
      { root },
    )
    const events = readTrace(path)
    for (const event of events) {
      expect(['X', 'M']).toContain(event.ph)
      expect([event.name, event.pid, event.tid].map(each => typeof each)).toEqual(['string', 'number', 'number'])
      if (event.ph !== 'X') continue
      expect(event.ts).toBeGreaterThanOrEqual(0)
      expect(event.dur).toBeGreaterThanOrEqual(0)
    }
    const threads = new Map(
      events.filter(({ name }) => name === 'thread_name').map(({ tid, args }) => [tid, args?.['name']]),
    )
    const complete = events.filter(({ ph }) => ph === 'X')
    for (const { tid } of complete) expect(threads.has(tid)).toBe(true)
    expect(crossing(events)).toEqual([])
    const of = (kind: string): string[] => complete.filter(({ cat }) => cat === kind).map(({ name }) => name)
    expect(of('activity')).toEqual(
      expect.arrayContaining(['FROM scratch', 'COPY many /many', 'COPY --from=one /many /from-one', 'WORKDIR /srv']),
    )
    expect(of('part')).toEqual(
      expect.arrayContaining(['cache look-up', 'making the layer', 'packing', 'waiting for stage one']),
    )
    expect(of('transfer')).toContain('copying')
    // Parts lie within their activity, on its thread.
    const copy = complete.find(({ name }) => name === 'COPY --from=one /many /from-one') as Required<TraceEvent>
    const wait = complete.find(({ name }) => name === 'waiting for stage one') as Required<TraceEvent>
    expect(threads.get(copy.tid)).toBe('stage-2')
    expect(wait.tid).toBe(copy.tid)
    expect(wait.ts).toBeGreaterThanOrEqual(copy.ts)
    expect(wait.ts + wait.dur).toBeLessThanOrEqual(copy.ts + copy.dur)
    expect(stderr).toMatch(/^critical path .*\n( .*\n)+/m)
  })

  test('says what was cached, and nothing on stderr in quiet mode', async () => {
    const path = join(root, 'cached.json')
    await slipwayOk(['build', context], { root })
    const { stderr } = await slipwayOk(['build', '--trace', path, '-q', context], { root })
    expect(stderr).toBe('')
    const steps = readTrace(path).filter(({ cat, name }) => cat === 'activity' && name.startsWith('COPY'))
    expect(steps.map(({ args }) => args?.['cached'])).toEqual([true, true, true, true])
  })

  test('a build that fails leaves a trace, too', async () => {
    const path = join(root, 'failed.json')
    writeFileSync(join(context, 'Bad.Dockerfile'), 'FROM scratch\nCOPY many /a\nCOPY nothing /b\n')
    const { code } = await slipway(
      ['build', '--no-cache', '--trace', path, '-f', join(context, 'Bad.Dockerfile'), context],
      { root },
    )
    expect(code).toBe(1)
    const failed = readTrace(path).find(({ name }) => name === 'COPY nothing /b')
    expect(failed?.args?.['failed']).toContain('not found')
  })

  test('a file that cannot be written stops the build before it begins', async () => {
    const path = join(root, 'missing/trace.json')
    const { code, stderr } = await slipway(['build', '--trace', path, context], { root })
    expect(code).toBe(1)
    expect(stderr).toContain('missing')
    expect(stderr).not.toContain('COPY')
    expect(existsSync(path)).toBe(false)
    expect((await slipway(['build', '--trace', '-', context], { root })).stderr).toContain('needs a file of its own')
  })
})
