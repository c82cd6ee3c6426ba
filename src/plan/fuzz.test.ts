import fc from 'fast-check'
import { test } from 'vitest'
import { UserError } from '#diagnostics'
import { parseDockerfile } from '#dockerfile'
import { planBuild } from './plan-build.ts'
import { planToJson } from './plan-json.ts'

const word = fc.constantFrom(
  ...'a /b ../c . $V ${V} ${V:-x} "q r" base 0 1 80 81/udp 1-3 SIGTERM ["x","y"] =1 V=2 W=$V x=$(y) *.c'.split(' '),
)
const flag = fc.constantFrom(
  ...'--from=base --from=0 --from=$G --chown=1:2 --chmod=755 --chmod=u+x --link --mount=type=cache,target=$V'.split(
    ' ',
  ),
  ...'--mount=from=base,target=x --mount=type=secret,id=a,env=V --platform=linux/arm64 --interval=5s --exclude=a'.split(
    ' ',
  ),
)
const keyword = fc.constantFrom(
  ...'RUN COPY ADD ENV ARG LABEL CMD ENTRYPOINT EXPOSE USER WORKDIR VOLUME STOPSIGNAL SHELL HEALTHCHECK'.split(' '),
  ...'ONBUILD RUN|ONBUILD COPY|ONBUILD ENV|HEALTHCHECK CMD|MAINTAINER'.split('|'),
  ...'FROM|FROM base|FROM scratch AS base|FROM img AS base|ARG G=base'.split('|'),
)
const instruction = fc
  .tuple(keyword, fc.array(flag, { maxLength: 1 }), fc.array(word, { maxLength: 3 }))
  .map(([name, flags, words]) => (/^FROM |^ARG G/.test(name) ? name : [name, ...flags, ...words].join(' ')))
const file = fc
  .array(instruction, { maxLength: 12 })
  .map(lines => ['ARG G=base V=global', 'FROM scratch AS base', ...lines].join('\n'))

test('any file is planned or gives a UserError, and every plan is printable', async () => {
  let plans = 0
  await fc.assert(
    fc.asyncProperty(file, async text => {
      try {
        const plan = await planBuild({
          tree: parseDockerfile({ name: 'Dockerfile', text }),
          buildArgs: { V: 'given' },
          resolveImage: async reference => ({
            reference,
            id: 'sha256:0',
            config: {
              os: 'linux',
              architecture: 'amd64',
              config: { OnBuild: ['COPY --from=0 a /', 'ENV T=$V'] },
              rootfs: { type: 'layers', diff_ids: [] },
              history: [],
            },
          }),
        })
        JSON.parse(planToJson(plan))
        for (const { history, steps } of plan.stages) {
          const order = history.flatMap(({ step }) => step ?? [])
          if (order.join() !== steps.map((_, i) => i).join()) throw new Error('history and steps differ')
        }
        plans++
      } catch (error) {
        if (!(error instanceof UserError)) throw error
      }
    }),
    { numRuns: 3000 },
  )
  if (plans < 300) throw new Error(`only ${plans} files could be planned: the generator is too wild`)
})
