import type { FileKind } from '../file-kinds.ts'
import type { Instruction } from '../instructions.ts'
import type { Packages } from '../packages/find-packages.ts'
import { jsonObject } from '../packages/languages.ts'
import { textAt } from '../packages/package-finder.ts'
import { findDuplicates, type TreeSurvey, type VisibleFile } from '../survey-tree.ts'
import type { FileCopy, LayerTrace } from '../trace-layers.ts'
import { countBelow, type PathGroup, wholePaths } from '../whole-paths.ts'
import type { Cause } from './cause.ts'
import { copyBeforeInstall } from './copy-before-install.ts'
import { byLayer, needlessCause, needlessCauses, type NeedlessDraft } from './needless.ts'
import { wastedCauses } from './wasted.ts'

export interface CauseSources {
  readonly trace: LayerTrace
  readonly survey: TreeSurvey
  readonly packages: Packages
  readonly instructions: readonly Instruction[]
  readonly baseLayers: number
}

/** Why the image is larger than it has to be: the largest savings first, those of the base image last. */
export function findCauses(sources: CauseSources): readonly Cause[] {
  const { trace, survey, instructions, baseLayers } = sources
  const spoken = new Set<FileCopy>()
  let counted: ReadonlyMap<string, number> | undefined
  const visibleBelow = (): ReadonlyMap<string, number> => (counted ??= countBelow(survey.files.map(({ copy }) => copy)))
  const common = { instructions, baseLayers, visibleBelow }
  const development = developmentFiles(sources)
  for (const copy of development) spoken.add(copy)
  const byKind = new Map<FileKind, readonly FileCopy[]>()
  for (const [kind, copies] of survey.byKind) {
    byKind.set(
      kind,
      copies.filter(copy => !spoken.has(copy)),
    )
    for (const copy of copies) spoken.add(copy)
  }
  const causes = [
    ...wastedCauses({ copies: trace.copies, ...common }),
    ...needlessCauses(byKind, { ...common, products: () => products(sources, { spoken, visibleBelow }) }),
    ...developmentCauses(development, common),
    ...duplicateCauses(survey, spoken, common),
    ...copyBeforeInstall(trace, common),
  ]
  return causes.sort((a, b) => Number(a.inBase) - Number(b.inBase) || b.saving - a.saving || a.layer - b.layer)
}

/** Smaller equal files (licences, empty modules) are not worth a word. */
const smallestDuplicate = 4096

function duplicateCauses(
  survey: TreeSurvey,
  spoken: ReadonlySet<FileCopy>,
  sources: NeedlessDraft['sources'],
): Cause[] {
  const extra = findDuplicates(survey.files.filter(({ copy }) => !spoken.has(copy)))
    .filter(({ size }) => size >= smallestDuplicate)
    .flatMap(({ copies }) => copies.slice(1).map(({ copy }) => copy))
  return [...byLayer(extra)].flatMap(([layer, copies]) =>
    needlessCause('duplicates', copies, {
      layer,
      sources,
      titleOf: name => `${name} brings files whose content is in the image already, under another name`,
      rewrite: () => ({
        kind: 'link',
        text: 'keep one of them and make the others links to it, or do not copy them at all',
        lines: [],
      }),
    }),
  )
}

/**
 * Packages of an npm tree that only development needs: marked `dev` in `node_modules/.package-lock.json` (npm 7 and
 * later), else named by `devDependencies` and not by `dependencies`.
 */
function developmentFiles({ trace, packages, survey }: CauseSources): readonly FileCopy[] {
  const { tree } = trace
  const projects = new Map<string, (path: string) => boolean>()
  const testOf = (project: string): ((path: string) => boolean) => {
    const known = projects.get(project)
    if (known) return known
    const test = developmentTest({ tree, hints: survey.hints }, project)
    projects.set(project, test)
    return test
  }
  const isDevelopment = packages.found.map(({ manager, path }) => {
    const at = /^(.*?)(?:^|\/)node_modules\//.exec(path)
    return manager === 'npm' && at !== null && testOf(at[1] ?? '')(path)
  })
  return [...packages.owners].flatMap(([copy, index]) => (isDevelopment[index] ? [copy] : []))
}

function developmentTest(
  sources: Parameters<typeof textAt>[0] & { readonly hints: TreeSurvey['hints'] },
  project: string,
): (path: string) => boolean {
  const prefix = project === '' ? '' : `${project}/`
  const lock = jsonObject(textAt(sources, `${prefix}node_modules/.package-lock.json`))['packages']
  if (typeof lock === 'object' && lock !== null) {
    const marked = lock as Readonly<Record<string, { readonly dev?: unknown } | null>>
    return path => marked[path.slice(prefix.length)]?.dev === true
  }
  const { dependencies = {}, devDependencies = {} } = jsonObject(textAt(sources, `${prefix}package.json`))
  const names = new Set(Object.keys(devDependencies as object).filter(name => !(name in (dependencies as object))))
  return path => {
    const [, name = ''] = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path.slice(prefix.length)) ?? []
    return names.has(name)
  }
}

function developmentCauses(copies: readonly FileCopy[], sources: NeedlessDraft['sources']): Cause[] {
  return [...byLayer(copies)].flatMap(([layer, group]) =>
    needlessCause('dev-dependencies', group, {
      layer,
      sources,
      titleOf: name => `packages that only development needs, from ${name}`,
      rewrite: instruction => ({
        kind: 'install-without',
        text: 'install without them, or install for production in the last stage',
        lines: [instruction.text.replace(/\bnpm (ci|install|i)\b/, 'npm ci --omit=dev')].filter(
          line => line !== instruction.text,
        ),
      }),
    }),
  )
}

/** Places that tools of the system write to; what an application needs seldom lies there. */
const system = /^(var|etc|run|tmp|root|home|dev|proc|sys|boot)\//

function products(
  { survey, packages, baseLayers, instructions }: CauseSources,
  {
    spoken,
    visibleBelow,
  }: { readonly spoken: ReadonlySet<FileCopy>; readonly visibleBelow: () => ReadonlyMap<string, number> },
): readonly PathGroup[] {
  const isCopied = ({ copy }: VisibleFile): boolean => instructions[copy.origin]?.keyword !== 'RUN'
  const own = survey.files.filter(
    file =>
      file.copy.origin >= baseLayers &&
      !spoken.has(file.copy) &&
      !packages.owners.has(file.copy) &&
      (isCopied(file) || !system.test(file.path)),
  )
  return wholePaths(
    own.map(({ copy }) => copy),
    visibleBelow(),
  )
}
