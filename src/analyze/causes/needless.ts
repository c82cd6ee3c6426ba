import { type FileKind, kindTitles } from '../file-kinds.ts'
import type { Instruction } from '../instructions.ts'
import type { FileCopy } from '../trace-layers.ts'
import { bySize, type PathGroup, wholePaths } from '../whole-paths.ts'
import type { Cause, CauseKind, Rewrite } from './cause.ts'
import { commandOf, isBaseBuild, nameOf, otherBase } from './rewrites.ts'

export interface NeedlessSources {
  readonly instructions: readonly Instruction[]
  readonly baseLayers: number
  /** Paths that the image's own instructions made and that nothing else speaks of: what a last stage would copy. */
  readonly products: () => readonly PathGroup[]
  /** Files below each directory of the final tree. */
  readonly visibleBelow: () => ReadonlyMap<string, number>
}

/** Files of the final tree that are seldom needed there: one cause for each kind and layer. */
export function needlessCauses(byKind: ReadonlyMap<FileKind, readonly FileCopy[]>, sources: NeedlessSources): Cause[] {
  return [...byKind].flatMap(([kind, copies]) =>
    [...byLayer(copies)].flatMap(([layer, group]) =>
      needlessCause(kind, group, {
        layer,
        sources,
        titleOf: name => `${kindTitles[kind]} in the image, from ${name}`,
        rewrite: instruction => kindRewrite(kind, instruction, sources),
      }),
    ),
  )
}

/** By the layer that brought the content: who only changed the owner is not to blame. */
export function byLayer(copies: readonly FileCopy[]): ReadonlyMap<number, readonly FileCopy[]> {
  return Map.groupBy(copies, ({ origin }) => origin)
}

export interface NeedlessDraft {
  readonly layer: number
  readonly sources: Pick<NeedlessSources, 'instructions' | 'baseLayers' | 'visibleBelow'>
  readonly titleOf: (name: string) => string
  readonly rewrite: (instruction: Instruction) => Rewrite
}

/** A cause for files of one layer; none when they have no bytes. */
export function needlessCause(kind: CauseKind, copies: readonly FileCopy[], draft: NeedlessDraft): Cause[] {
  const { layer, sources, titleOf, rewrite } = draft
  const instruction = sources.instructions[layer] as Instruction
  const inBase = layer < sources.baseLayers
  const saving = copies.reduce((sum, { entry }) => sum + entry.size, 0)
  if (saving === 0) return []
  return [
    {
      kind,
      layer,
      instruction,
      inBase,
      saving,
      files: copies.length,
      paths: kind === 'version-control' ? repositories(copies) : wholePaths(copies, sources.visibleBelow()),
      title: titleOf(inBase ? 'the base image' : nameOf(instruction)),
      rewrite: inBase ? otherBase('take a base without them') : rewrite(instruction),
    },
  ]
}

/** Nobody asks for a part of a repository. */
function repositories(copies: readonly FileCopy[]): readonly PathGroup[] {
  const groups = Map.groupBy(copies, ({ entry }) => /^(.*?\.?(git|hg|svn|bzr|CVS))(\/|$)/.exec(entry.path)?.[1] ?? '')
  return [...groups]
    .map(([path, group]) => ({
      path: `${path}/`,
      files: group.length,
      bytes: group.reduce((sum, { entry }) => sum + entry.size, 0),
    }))
    .sort(bySize)
}

/** Directories for a cache mount, by what a command calls. */
const caches: readonly (readonly [command: RegExp, targets: readonly string[], sharing?: string])[] = [
  [/\bapt(-get)?\b/, ['/var/lib/apt/lists', '/var/cache/apt'], 'locked'],
  [/\bapk\b/, ['/var/cache/apk'], 'locked'],
  [/\b(dnf|yum|microdnf)\b/, ['/var/cache/dnf'], 'locked'],
  [/\bpip3?\b/, ['/root/.cache/pip']],
  [/\buv\b/, ['/root/.cache/uv']],
  [/\bpoetry\b/, ['/root/.cache/pypoetry']],
  [/\bpnpm\b/, ['/root/.local/share/pnpm/store']],
  [/\byarn\b/, ['/usr/local/share/.cache/yarn']],
  [/\bnpm\b/, ['/root/.npm']],
  [/\bgo (build|install|mod|get|test)\b/, ['/go/pkg/mod', '/root/.cache/go-build']],
  [/\bcargo\b/, ['/usr/local/cargo/registry']],
  [/\bmvnw?\b/, ['/root/.m2']],
  [/\bgradlew?\b/, ['/root/.gradle']],
  [/\bcomposer\b/, ['/root/.composer/cache']],
  [/\bbundle\b/, ['/usr/local/bundle/cache']],
]

function cacheMounts(instruction: Instruction): Rewrite {
  const command = commandOf(instruction) ?? ''
  const found = caches.filter(([pattern]) => pattern.test(command))
  const mounts = found.flatMap(([, targets, sharing]) =>
    targets.map(target => `--mount=type=cache,target=${target}${sharing ? `,sharing=${sharing}` : ''}`),
  )
  if (mounts.length === 0) {
    return {
      kind: 'clean-in-run',
      text: `remove them at the end of ${nameOf(instruction)}, in the same RUN`,
      lines: [],
    }
  }
  return {
    kind: 'cache-mount',
    text: `keep them outside of the image with a cache mount in ${nameOf(instruction)}`,
    lines: [`RUN ${mounts.join(' ')} \\`, `    ${command}`],
  }
}

/** Lists that only later instructions use cannot go at the end of this one. `apt-get clean` takes apt's own index files, too. */
function cleanLists(instruction: Instruction): Rewrite {
  const command = commandOf(instruction)
  if (command === undefined || !/\bapt(-get)?\b/.test(command)) return cacheMounts(instruction)
  if (!/\b(install|upgrade|build-dep)\b/.test(command)) {
    const mounts = cacheMounts(instruction)
    const text = `join ${nameOf(instruction)} with what installs and remove the lists there, or use these cache mounts in both`
    return { ...mounts, text }
  }
  return {
    kind: 'clean-in-run',
    text: `remove the lists at the end of ${nameOf(instruction)}, or keep them outside with cache mounts`,
    lines: [`RUN ${command} \\`, ' && apt-get clean && rm -rf /var/lib/apt/lists/*'],
  }
}

const ignored: Readonly<Partial<Record<FileKind, readonly string[]>>> = {
  'version-control': ['**/.git', '**/.hg', '**/.svn'],
  tests: ['**/test', '**/tests', '**/__tests__'],
  'source-maps': ['**/*.map'],
  temporary: ['**/*.log', '**/*~', '**/*.swp'],
  'package-caches': ['**/.npm', '**/.cache', '**/.yarn/cache'],
  'debug-symbols': ['**/*.debug', '**/*.pdb', '**/*.dwo'],
  documentation: ['**/*.md', 'docs'],
}

function kindRewrite(kind: FileKind, instruction: Instruction, sources: NeedlessSources): Rewrite {
  if (isBaseBuild(instruction)) {
    const text =
      kind === 'compilers' ? 'leave their packages out of the base file' : 'name them under "without" in the base file'
    return { kind: 'other-base', text, lines: [] }
  }
  const isCopy = instruction.keyword === 'COPY' || instruction.keyword === 'ADD'
  const lines = ignored[kind]
  if (isCopy && lines) {
    return { kind: 'dockerignore', text: 'keep them out of the build context with .dockerignore', lines }
  }
  switch (kind) {
    case 'package-lists':
      return cleanLists(instruction)
    case 'package-caches':
      return cacheMounts(instruction)
    case 'compilers':
    case 'headers':
      return multiStage(sources.products())
    case 'documentation':
    case 'locales':
      return leaveDocuments(instruction)
    default:
      return {
        kind: 'clean-in-run',
        text: `remove them at the end of ${nameOf(instruction)}, in the same RUN`,
        lines: [],
      }
  }
}

/** dpkg(1), path-exclude. */
function leaveDocuments(instruction: Instruction): Rewrite {
  if (!/\bapt(-get)?\b/.test(commandOf(instruction) ?? '')) {
    return {
      kind: 'clean-in-run',
      text: `remove them at the end of ${nameOf(instruction)}, in the same RUN`,
      lines: [],
    }
  }
  return {
    kind: 'install-without',
    text: `tell dpkg before ${nameOf(instruction)} not to unpack them`,
    lines: [
      'COPY <<EOF /etc/dpkg/dpkg.cfg.d/without-documents',
      'path-exclude=/usr/share/doc/*',
      'path-include=/usr/share/doc/*/copyright',
      'path-exclude=/usr/share/man/*',
      'path-exclude=/usr/share/info/*',
      'path-exclude=/usr/share/locale/*',
      'EOF',
    ],
  }
}

/** As many COPY lines as a person reads. */
const mostCopies = 12

/** Build in one stage, copy what was built into another. */
export function multiStage(products: readonly PathGroup[]): Rewrite {
  const copies = products
    .slice(0, mostCopies)
    .map(({ path }) => `/${path.replace(/\/$/, '')}`)
    .sort()
    .map(path => `COPY --from=build ${/\s/.test(path) ? JSON.stringify([path, path]) : `${path} ${path}`}`)
  return {
    kind: 'multi-stage',
    text: 'build in a stage of its own, and copy only what was built into a last stage on a small base',
    lines: ['FROM … AS build', '…', 'FROM …', ...copies],
  }
}
