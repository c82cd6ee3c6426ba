import type { WarningSink } from '#diagnostics'
import type { DockerfileTree } from '#dockerfile'
import { hostPlatform, type Platform } from '#oci'
import type { FileOptions } from './plan-options.ts'
import { assign, expandIn, reportUndefined, type Scope } from './scope.ts'

/** Arguments that everything before the first FROM and every FROM line can see. */
export interface GlobalScope {
  readonly values: Scope
  /** Names that a global ARG declares, with or without a value, and the platform arguments. */
  readonly declared: ReadonlySet<string>
}

/** The platform arguments (section 8.8 of the language page), in the order in which they are documented. */
export function platformArguments({
  platform,
  buildPlatform,
  target,
}: {
  readonly platform: Platform
  readonly buildPlatform: Platform
  readonly target: string | undefined
}): readonly (readonly [string, string])[] {
  const of = (prefix: string, { os, architecture, variant = '', 'os.version': version = '' }: Platform) =>
    [
      [`${prefix}PLATFORM`, [os, architecture, variant].filter(part => part !== '').join('/')],
      [`${prefix}OS`, os],
      [`${prefix}OSVERSION`, version],
      [`${prefix}ARCH`, architecture],
      [`${prefix}VARIANT`, variant],
    ] as const
  return [...of('BUILD', buildPlatform), ...of('TARGET', platform), ['TARGETSTAGE', target ?? 'default']]
}

/** The global scope that a plan with these options has; warns of nothing. */
export function scopeOfOptions(options: FileOptions): GlobalScope {
  const buildPlatform = options.buildPlatform ?? hostPlatform()
  const platform = options.platform ?? buildPlatform
  return globalScope(options.tree, {
    builtIn: platformArguments({ platform, buildPlatform, target: options.target || undefined }),
    buildArgs: new Map(Object.entries(options.buildArgs ?? {})),
    warn: () => {},
  })
}

/** Evaluates the ARG instructions before the first FROM. */
export function globalScope(
  tree: DockerfileTree,
  {
    builtIn,
    buildArgs,
    warn,
  }: {
    readonly builtIn: readonly (readonly [string, string])[]
    readonly buildArgs: ReadonlyMap<string, string>
    readonly warn: WarningSink
  },
): GlobalScope {
  const values = new Map<string, string>()
  for (const [name, value] of builtIn) values.set(name, buildArgs.get(name) ?? value)
  const declared = new Set(values.keys())
  const context = { source: tree.source, escape: tree.escape }
  const report = {
    code: 'UndefinedVar' as const,
    warn,
    source: tree.source,
    declared: (name: string) => declared.has(name),
    candidates: () => declared,
  }
  for (const { name, value } of tree.globalArgs.flatMap(({ args }) => args)) {
    const key = expandIn(values, name, context)
    reportUndefined(key, report)
    const given = buildArgs.get(key.value)
    if (given !== undefined) assign(values, key.value, given)
    else if (value) {
      const expansion = expandIn(values, value, context)
      reportUndefined(expansion, report)
      assign(values, key.value, expansion.value)
    }
    declared.add(key.value)
  }
  return { values, declared }
}
