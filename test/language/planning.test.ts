import { describe, expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { parseDockerfile } from '#dockerfile'
import type { Platform } from '#oci'
import { type BuildPlan, planBuild, type PlanOptions } from '#plan'

/** Checkboxes of the language page that a plan alone can prove. */

const amd64: Platform = { os: 'linux', architecture: 'amd64' }
const windows: Platform = { os: 'windows', architecture: 'amd64' }

async function plan(text: string, options: Partial<PlanOptions> = {}): Promise<BuildPlan> {
  return planBuild({
    tree: parseDockerfile({ name: 'Dockerfile', text }),
    platform: amd64,
    buildPlatform: amd64,
    resolveImage: async (reference, platform) => ({
      reference,
      id: `sha256:${'0'.repeat(64)}`,
      config: {
        ...platform,
        config: { Env: ['FROM_IMAGE=image', 'BOTH=image'] },
        rootfs: { type: 'layers', diff_ids: [] },
        history: [],
      },
    }),
    ...options,
  })
}

const target = async (text: string, options?: Partial<PlanOptions>) => {
  const built = await plan(text, options)
  const stage = built.stages[built.target]
  if (stage === undefined) throw new Error('no target')
  return stage
}

test('3.6 a continuation may end with the file', async () => {
  expect((await target('FROM scratch\nLABEL a=1 \\')).config.Labels).toEqual({ a: '1' })
  expect((await target('FROM scratch\nLABEL a=1 \\\n\n# comment\n')).config.Labels).toEqual({ a: '1' })
})

test.each([' ', '\t', '\v', '\f', ' \t \v'])('4.1 the keyword ends at %j', async blank => {
  expect((await target(`FROM${blank}scratch\nUSER${blank}one`)).config.User).toBe('one')
})

test('5.9 ONBUILD keeps the instruction with its heredoc, and it is one again in the child', async () => {
  const text = 'FROM scratch AS parent\nONBUILD COPY <<A <<"B" /x/\nvalue $V\nA\nraw $V\nB\nFROM parent\nENV V=child'
  const [parent] = (await plan(`${text}\n`, { target: 'parent' })).stages
  expect(parent?.config.OnBuild).toEqual(['COPY <<A <<"B" /x/\nvalue $V\nA\nraw $V\nB'])
  const step = (await target(text)).steps.find(({ kind }) => kind === 'copy')
  if (step?.kind !== 'copy') throw new Error('no copy')
  const bodies = step.sources.map(source => (source.kind === 'inline' ? [source.name, source.body] : source.kind))
  expect(bodies).toEqual([
    ['A', 'value \n'],
    ['B', 'raw $V\n'],
  ])
})

test('6.10 expansion sees the image, the stage, and declared arguments, in the order of declaration', async () => {
  const text =
    'FROM image\nENV STAGE=stage BOTH=env\nARG BOTH=arg\nARG ONLY=x\nLABEL l=$FROM_IMAGE-$STAGE-$BOTH-$ONLY-$LATER\nENV LATER=1'
  expect((await target(text)).config.Labels).toEqual({ l: 'image-stage-arg-x-' })
})

test('8.1 every word of an ARG sees the values before it, those of global ARGs the words before them', async () => {
  const text = 'ARG G=1 H=$G\nFROM scratch\nARG H\nARG A=old\nARG A=new B=$A\nLABEL l=$A-$B-$H'
  expect((await target(text)).config.Labels).toEqual({ l: 'new-old-1' })
})

test('6.12 names of variables differ by case', async () => {
  expect((await target('FROM scratch\nENV a=1 A=2\nLABEL l=$a$A')).config.Labels).toEqual({ l: '12' })
})

describe('18 Windows', () => {
  test('18 backslashes are slashes, drive letters go, the shell is cmd, there is no PATH', async () => {
    const text = '# escape=`\nFROM scratch\nWORKDIR C:\\app\\sub\nCOPY dir\\file.txt C:\\x\\\nCMD echo hi'
    const stage = await target(text, { platform: windows })
    expect(stage.config.WorkingDir).toBe('/app/sub')
    expect(stage.config.Cmd).toEqual(['cmd', '/S', '/C', 'echo hi'])
    expect((stage.config.Env ?? []).filter(entry => /^path=/i.test(entry))).toEqual([])
  })

  test.each([
    ['COPY --chown=1 a b', /--chown and --chmod do not exist on Windows/],
    ['STOPSIGNAL SIGTERM', /STOPSIGNAL does not exist on Windows/],
  ])('18 %s is refused', async (line, says) => {
    await expect(plan(`FROM scratch\n${line}`, { platform: windows })).rejects.toThrow(says)
    await expect(plan(`FROM scratch\n${line}`, { platform: windows })).rejects.toThrow(UserError)
  })
})
