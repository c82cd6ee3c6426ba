import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { parseDockerfile } from '#dockerfile'
import type { BuildPlan } from './build-plan.ts'
import { planBuild } from './plan-build.ts'

const docker = '/usr/bin/docker'

function run(args: readonly string[], input = ''): string {
  const env = { ...process.env, DOCKER_BUILDKIT: '1' }
  return execFileSync(docker, args, { input, env, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })
}

const available = (() => {
  try {
    run(['version'])
    // A client that is newer than its builder plugin cannot build at all.
    run(['build', '-q', '-'], 'FROM scratch\nLABEL oracle=1\n')
    return true
  } catch {
    return false
  }
})()

const keys = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Healthcheck',
  'ArgsEscaped',
  'Volumes',
  'WorkingDir',
  'Labels',
  'StopSignal',
  'OnBuild',
  'Shell',
]

interface Facts {
  readonly config: Readonly<Record<string, unknown>>
  readonly history: readonly string[]
}

/** What old engines write in another form: sections 10 and 8.11 of the language page. */
const otherForm = /^(HEALTHCHECK|EXPOSE|ARG) /

function facts(config: object, history: readonly string[]): Facts {
  const present = Object.entries(config).filter(
    ([key, value]) => keys.includes(key) && value !== null && value !== '' && value !== false,
  )
  return { config: Object.fromEntries(present), history: history.filter(line => !otherForm.test(line)) }
}

function built(text: string, args: readonly string[]): Facts | 'error' {
  let id = ''
  try {
    id = run(['build', '-q', '--no-cache', ...args, '-'], text).trim()
    const config = JSON.parse(run(['image', 'inspect', id, '--format', '{{json .Config}}'])) as object
    const history = run(['history', '--no-trunc', '--format', '{{.CreatedBy}}', id]).split('\n').slice(0, -1).reverse()
    return facts(config, history)
  } catch {
    return 'error'
  } finally {
    if (id !== '') run(['rmi', '-f', id])
  }
}

async function planned(text: string, buildArgs: Readonly<Record<string, string>>): Promise<Facts | 'error'> {
  try {
    const plan = await planBuild({
      tree: parseDockerfile({ name: 'Dockerfile', text }),
      buildArgs,
      resolveImage: () => Promise.reject(new Error('no image is needed')),
    })
    return facts(plan.stages[plan.target]?.config ?? {}, historyOf(plan, plan.target))
  } catch (error) {
    if (error instanceof UserError) return 'error'
    throw error
  }
}

/** Entries of the stages below come first. */
function historyOf(plan: BuildPlan, index: number): readonly string[] {
  const stage = plan.stages[index]
  const below = stage?.base.kind === 'stage' ? historyOf(plan, stage.base.stage) : []
  return [...below, ...(stage?.history ?? []).map(({ createdBy }) => createdBy.replace(/ --chown=\S+/, ''))]
}

const everything = String.raw`ARG G=global
FROM scratch AS base
ARG A=1 B="x y" G U
ENV E="two words" F='$A' G2=${'${A:-z}'} K=$G
LABEL z=1 a="x y" e="$E" "k $A"=v
EXPOSE 80 53/udp 100-102/TCP $A
VOLUME /data ["/x"]
WORKDIR rel/
WORKDIR /a/../b/
WORKDIR "c d"
USER $A:2
STOPSIGNAL SIGTERM
SHELL ["/bin/bash", "-c"]
ENTRYPOINT ["a", "b\tc\u00e9\u0001\"q\u200b\ud83d\ude00"]
CMD echo "q"  x   # no comment
HEALTHCHECK --interval=5m --timeout=1.5s --start-period=1m --retries=2 CMD ["curl", ".."]
MAINTAINER A "B" <c@d>
ONBUILD   copy a \
   b
ONBUILD -- RUN x
`

describe.skipIf(!available)('a docker engine agrees (skipped where none runs)', () => {
  test.each([
    ['9, 10 every metadata instruction', everything, {}],
    ['8.3 with build arguments', everything, { A: '7', G: 'given', B: 'b' }],
    [
      '9.4 a child resets CMD; 9.11 triggers',
      'FROM scratch AS a\nCMD ["p"]\nONBUILD ENV T=1\nFROM a\nENTRYPOINT ["e"]',
      {},
    ],
    ['9.4 CMD in the same stage stays', 'FROM scratch\nCMD ["p"]\nENTRYPOINT ["e"]', {}],
    ['9.4 empty forms', 'FROM scratch\nCMD\nENTRYPOINT []', {}],
    [
      '8.5 ARG and ENV',
      'FROM scratch AS a\nENV X=base\nARG X=arg\nLABEL a=$X\nENV Y=$X\nFROM a\nLABEL b=$X\nENV X=z\nLABEL c=$X',
      {},
    ],
    [
      '6.6 quotes',
      String.raw`FROM scratch
LABEL a=b\\c d="e\n\"f\"" g='h\i' "j k"=l\ m n=o"p q"r's t' u=\$v w=\a`,
      {},
    ],
    ['2.5 backtick', '# escape=`\nFROM scratch\nLABEL a=b`\nc d="`"" e=x`$y f=\\n', {}],
    ['3 continuations', 'FROM scratch\nLABEL a=1 \\\n# note\n  b="x \\\n  y" \\ \n\n c=3\nUSER \\\nu', {}],
    ['9.1 old forms', `FROM scratch\nENV m  'quoted  v' "x"\nLABEL k a b   \nENV n \\\n  o`, {}],
    [
      '12 copies between empty stages',
      'FROM scratch AS a\nWORKDIR /x/y\nFROM scratch\nWORKDIR /w\nCOPY --from=a --chown=1:2 /x/../x ./z/\nADD --chown=3 ["n*", "m/"]',
      {},
    ],
    ['9.1 blank name', 'FROM scratch\nENV =x', {}],
    ['6.6 open quote', 'FROM scratch\nENV a="b', {}],
    ['6.4 bad substitution', 'FROM scratch\nENV a=${:x}', {}],
    ['4.4 unknown flag', 'FROM scratch\nUSER --x y', {}],
    ['9.3 bad port', 'FROM scratch\nEXPOSE 70000', {}],
    ['9.9 bad signal', 'FROM scratch\nSTOPSIGNAL FOO', {}],
    ['7.3 stage names', 'FROM scratch AS base\nFROM scratch\nCOPY --from=0 / /q/\nCOPY --from=BASE / /r/', {}],
  ])('%s', async (_, text, buildArgs: Readonly<Record<string, string>>) => {
    const args = Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`])
    expect(await planned(text, buildArgs)).toEqual(built(text, args))
  })
})
