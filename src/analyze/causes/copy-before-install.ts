import type { Instruction } from '../instructions.ts'
import type { LayerTrace } from '../trace-layers.ts'
import { countBelow, wholePaths } from '../whole-paths.ts'
import type { Cause } from './cause.ts'
import { commandOf, nameOf } from './rewrites.ts'

/** What installs packages, and the files that it reads to know which. */
const installers: readonly (readonly [command: RegExp, manifests: readonly string[]])[] = [
  [/\bnpm (ci|install|i)\b(?! +(-\S+ +)*[@a-z])/, ['package.json', 'package-lock.json']],
  [/\byarn( install)?( --\S+)* *($|&&|;)/, ['package.json', 'yarn.lock']],
  [/\bpnpm (install|i)\b/, ['package.json', 'pnpm-lock.yaml']],
  [/\bpip3? install\b.*(-r|--requirement)/, ['requirements.txt']],
  [/\bpoetry install\b/, ['pyproject.toml', 'poetry.lock']],
  [/\buv sync\b/, ['pyproject.toml', 'uv.lock']],
  [/\bbundle install\b/, ['Gemfile', 'Gemfile.lock']],
  [/\bgo mod download\b/, ['go.mod', 'go.sum']],
  [/\bcargo (fetch|vendor)\b/, ['Cargo.toml', 'Cargo.lock']],
  [/\bcomposer install\b/, ['composer.json', 'composer.lock']],
  [/\bmvnw?\b.*dependency:/, ['pom.xml']],
]

/** `COPY . .` before an install: every change of any file runs the install again. */
export function copyBeforeInstall(
  { copies }: Pick<LayerTrace, 'copies'>,
  { instructions, baseLayers }: { readonly instructions: readonly Instruction[]; readonly baseLayers: number },
): Cause[] {
  return instructions.flatMap((run, layer): Cause[] => {
    const command = commandOf(run)
    const found = command === undefined ? undefined : installers.find(([pattern]) => pattern.test(command))
    if (layer < baseLayers || !found) return []
    const copyLayer = instructions.findLastIndex(
      (each, i) => i < layer && i >= baseLayers && copiesEverything(each) && each.stage === run.stage,
    )
    const copy = instructions[copyLayer]
    if (!copy) return []
    const own = copies.filter(each => each.layer === layer)
    const rest = copy.text.slice(copy.keyword.length).trim()
    const destination = rest.split(' ').at(-1) ?? './'
    return [
      {
        kind: 'copy-before-install',
        layer,
        instruction: run,
        by: { layer: copyLayer, instruction: copy },
        inBase: false,
        saving: 0,
        files: own.length,
        paths: wholePaths(own, countBelow(own)).slice(0, 20),
        title: `${nameOf(copy)} copies everything before ${nameOf(run)} installs: any change installs all anew`,
        rewrite: {
          kind: 'reorder',
          text: 'copy what the install reads, install, and copy the rest after it',
          lines: [
            `COPY ${found[1].join(' ')} ${destination.endsWith('/') ? destination : `${destination}/`}`,
            run.text,
            copy.text,
          ],
        },
      },
    ]
  })
}

function copiesEverything({ keyword, text }: Instruction): boolean {
  if (keyword !== 'COPY' && keyword !== 'ADD') return false
  const words = text.split(' ').slice(1)
  const sources = words.filter(word => !word.startsWith('--')).slice(0, -1)
  return !words.some(word => word.startsWith('--from')) && sources.some(source => /^\.?\/?$/.test(source))
}
