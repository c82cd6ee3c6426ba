import { nearest, type Place, UserError, type WarningSink } from '#diagnostics'
import type { DockerfileTree, StageNode } from '#dockerfile'
import { type Platform, parsePlatform } from '#oci'
import type { GlobalScope } from './global-scope.ts'
import { expandIn, reportUndefined } from './scope.ts'
import { withPlace } from './with-place.ts'

/** A FROM line after expansion. */
export interface StageHeader {
  readonly node: StageNode
  /** The name after AS, else `stage-N`. */
  readonly title: string
  /** What FROM names, expanded. */
  readonly base: string
  readonly basePlace: Place
  readonly place: Place
  /** --platform, when given. */
  readonly platform?: Platform
}

/** Expands every FROM line: also those that nothing needs, since they give names. */
export function stageHeaders(
  tree: DockerfileTree,
  { globals, warn }: { readonly globals: GlobalScope; readonly warn: WarningSink },
): readonly StageHeader[] {
  const { source, escape } = tree
  const expand = (word: Parameters<typeof expandIn>[1]): string => {
    const expansion = expandIn(globals.values, word, { source, escape })
    reportUndefined(expansion, {
      code: 'UndefinedArgInFrom',
      warn,
      source,
      declared: name => globals.declared.has(name),
      candidates: () => globals.declared,
    })
    return expansion.value
  }
  return tree.stages.map(node => {
    const { image, platform, span } = node.from
    const basePlace = { source, span: image.span }
    const base = expand(image)
    if (base.trim() === '') {
      throw new UserError(`base name (${image.text}) should not be blank`, {
        hint: 'give the ARG a default, or pass it with --build-arg',
        at: basePlace,
      })
    }
    return {
      node,
      title: node.name ?? `stage-${node.position}`,
      base,
      basePlace,
      place: { source, span },
      ...(platform && {
        platform: readPlatform(expand(platform), { text: platform.text, place: { source, span: platform.span } }),
      }),
    }
  })
}

function readPlatform(value: string, { text, place }: { readonly text: string; readonly place: Place }): Platform {
  if (value === '') {
    throw new UserError(`empty platform value from expression ${text}`, {
      hint: 'give the ARG a default, or pass it with --build-arg',
      at: place,
    })
  }
  return withPlace(place, () => parsePlatform(value))
}

/** The stage that `--target` names, by name in any case; the last one without. Throws a `UserError`. */
export function targetPosition(headers: readonly StageHeader[], target: string | undefined): number {
  if (target === undefined || target === '') return headers.length - 1
  const found = headers.findLast(({ node }) => node.name === target.toLowerCase())
  if (found) return found.node.position
  const names = headers.flatMap(({ node }) => node.name ?? [])
  const near = nearest(target, names)
  const list = names.length === 0 ? 'no stage has a name; write FROM image AS name' : `stages are ${names.join(', ')}`
  throw new UserError(`target stage ${JSON.stringify(target)} not found`, {
    hint: near === undefined ? list : `did you mean ${near}?`,
  })
}
