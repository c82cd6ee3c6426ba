import { contentOf } from '#tree'
import type { Study } from '../analyze-image.ts'
import type { FileKind } from '../file-kinds.ts'
import type { FileCopy } from '../trace-layers.ts'
import { countBelow, wholePaths } from '../whole-paths.ts'
import { copyLines } from './copy-lines.ts'
import { inPath } from './program-closure.ts'
import { fileAt, programTree } from './library-search.ts'
import { needsReport } from './needs-report.ts'

/** A last stage on a base of its own, into which only what is needed is copied. Plain data. */
export interface StageSplit {
  /** `COPY --from` lines: the image's own files, then what its programs need and the base lacks. */
  readonly copy: readonly string[]
  /** Bytes of file content that the image then has: the base's and what is copied. */
  readonly bytes: number
  /** Bytes of these that are copied. */
  readonly copied: number
  /** Files of the base that the programs need, and that are the same there. */
  readonly shared: number
  /** Why it cannot work, one sentence each; empty where nothing speaks against it. */
  readonly problems: readonly string[]
}

export interface SplitQuestion {
  /** What the image starts, without leading slash. */
  readonly programs: readonly string[]
  /** The stage that COPY lines name. */
  readonly from: string
  readonly base: Study
  /** Only the programs themselves, where they are made from everything else. */
  readonly programsOnly: boolean
  /** Users that the image names: their files are copied where the base has others. */
  readonly users: boolean
}

/** What a last stage on `base` has to get from an image, so that its programs run there as they do now. */
export function splitStage(study: Study, { programs, from, base, programsOnly, users }: SplitQuestion): StageSplit {
  const own = programsOnly ? programs : ownPaths(study)
  const isOwn = (path: string): boolean =>
    own.some(each => path === each || (each.endsWith('/') && `${path}/`.startsWith(each)))
  const report = needsReport(study, { paths: programs, other: base, from, runTime: true })
  const asked = new Set(programs)
  const lacking = report.needs.filter(({ path, there, kind }) => {
    if (isOwn(path) || asked.has(path) || there === 'same') return false
    // A list of users, a locale, certificates: the base's own do as well.
    return kind !== 'run-time' || there === 'missing'
  })
  const accounts = users ? ['etc/passwd', 'etc/group'].filter(path => differs(study, base, path)) : []
  const needed = [
    ...own.map(path => ({ path, kind: 'program', why: '', bytes: bytesOf(study, path) }) as const),
    ...lacking.filter(({ path }) => !accounts.includes(path)),
    ...accounts.map(path => ({ path, kind: 'run-time', why: '', bytes: bytesOf(study, path) }) as const),
  ]
  const copied = needed.reduce((sum, { bytes }) => sum + bytes, 0)
  const notOwn = programs.filter(
    path => !isOwn(path) && report.needs.find(each => each.path === path)?.there !== 'same',
  )
  return {
    copy: copyLines(needed, from),
    bytes: base.analysis.totals.size + copied,
    copied,
    shared: report.needs.filter(({ there }) => there === 'same').length,
    problems: [
      ...report.broken.map(({ name, by }) => `${report.image} itself lacks ${name}, for /${by}`),
      ...(report.in?.problems ?? []),
      ...notOwn.map(path => `${base.image.name} does not have the same /${path}`),
    ],
  }
}

/** Of these a running program has no use. */
const needless: readonly FileKind[] = [
  'compilers',
  'headers',
  'package-lists',
  'package-caches',
  'version-control',
  'temporary',
]

/** Places that tools of the system write to; what an application needs seldom lies there. */
const system = /^(var|etc|run|tmp|root|home|dev|proc|sys|boot)\//

/** Files that the image's own instructions brought, without packages of the system and without what is needless. */
function ownPaths({ survey, packages, analysis, image }: Study): readonly string[] {
  const baseLayers = image.base?.layers ?? 0
  const left = new Set<FileCopy>(needless.flatMap(kind => survey.byKind.get(kind) ?? []))
  const isOfSystem = (copy: FileCopy): boolean => {
    const owner = packages.owners.get(copy)
    const manager = owner === undefined ? undefined : packages.found[owner]?.manager
    return manager === 'dpkg' || manager === 'apk'
  }
  const own = survey.files
    .filter(({ copy, path }) => {
      if (copy.origin < baseLayers || left.has(copy) || isOfSystem(copy)) return false
      return analysis.layers[copy.origin]?.instruction.keyword !== 'RUN' || !system.test(path)
    })
    .map(({ copy }) => copy)
  return wholePaths(own, countBelow(survey.files.map(({ copy }) => copy))).map(({ path }) => path)
}

function differs(study: Study, base: Study, path: string): boolean {
  const [one, two] = [study, base].map(({ trace }) => trace.tree.get(path))
  return one !== undefined && (two === undefined || contentOf(one) !== contentOf(two))
}

function bytesOf({ survey }: Study, path: string): number {
  const below = path.endsWith('/')
  return survey.files.reduce(
    (sum, file) => (file.path === path || (below && file.path.startsWith(path)) ? sum + file.copy.entry.size : sum),
    0,
  )
}

/**
 * What an image starts: the program of ENTRYPOINT, else of CMD, and that of HEALTHCHECK, as paths of files, without leading slash; where
 * one is a shell with a text, also the text's first command. Empty where ENTRYPOINT and CMD name no such file.
 */
export function startedPrograms({ image, trace }: Study): readonly string[] {
  const { Entrypoint, Cmd, Env = [], WorkingDir, Healthcheck, Shell } = image.config.config
  const tree = programTree(trace.tree)
  const path = Env.findLast(line => line.startsWith('PATH='))?.slice('PATH='.length)
  const search = (path ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin').split(':')
  const find = (command: string): readonly string[] => {
    const isRelative = command.includes('/') && !command.startsWith('/')
    const found = inPath(tree, isRelative ? `${WorkingDir ?? ''}/${command}` : command, search)
    return found !== undefined && fileAt(tree, found) ? [found] : []
  }
  const programs = ([first, flag, text]: readonly string[]): readonly string[] => {
    if (first === undefined) return []
    const isShell = /(^|\/)(sh|bash|dash|ash)$/.test(first) && flag === '-c'
    const command = isShell ? /^\s*(?:exec\s+)?([\w./-]+)(?=\s|$)/.exec(text ?? '')?.[1] : undefined
    return [...find(first), ...(command === undefined ? [] : find(command))]
  }
  const started = programs([...(Entrypoint ?? []), ...(Cmd ?? [])])
  if (started.length === 0) return []
  const [kind, ...words] = Healthcheck?.Test ?? []
  const check = kind === 'CMD' ? words : kind === 'CMD-SHELL' ? [...(Shell ?? ['/bin/sh', '-c']), ...words] : []
  return [...new Set([...started, ...programs(check)])]
}
