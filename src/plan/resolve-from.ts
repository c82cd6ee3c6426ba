import { type Place, UserError } from '#diagnostics'
import type { Platform } from '#oci'
import type { Target } from './discover.ts'
import type { ImageSource } from './image-source.ts'
import type { StageHeader } from './stage-headers.ts'

/** A `--from` in a stage. */
export interface FromQuery {
  readonly text: string
  readonly place: Place
  /** Numbers mean stages in COPY --from only. */
  readonly kind: 'copy' | 'mount'
  /** Position of the stage in which it stands. */
  readonly stage: number
  readonly platform: Platform
}

/**
 * What `--from` names: a stage before this one (the latest of that name, in any case; by number in COPY), a named
 * context, `scratch`, or an image. Throws a `UserError` for a later stage and for the stage itself.
 */
export async function resolveFrom(
  { headers, images }: { readonly headers: readonly StageHeader[]; readonly images: ImageSource },
  query: FromQuery,
): Promise<Target> {
  const position = stagePosition(headers, query)
  if (position !== undefined) return { kind: 'stage', position }
  const context = images.contextFor(query.text, query.platform)
  if (context?.kind === 'files') return { kind: 'named-context', name: context.name }
  const stageNames = headers.slice(0, query.stage).flatMap(({ node }) => node.name ?? [])
  const asked = { text: query.text, platform: query.platform, place: query.place, stageNames }
  if (context) return { kind: 'image', image: await images.contextImage(context.name, asked) }
  if (query.text.toLowerCase() === 'scratch') return { kind: 'empty' }
  return { kind: 'image', image: await images.image(asked) }
}

function stagePosition(headers: readonly StageHeader[], query: FromQuery): number | undefined {
  const { text, stage } = query
  if (query.kind === 'copy' && /^[+-]?\d+$/.test(text)) return numbered(headers, query)
  const name = text.toLowerCase()
  const earlier = headers.slice(0, stage).findLast(({ node }) => node.name === name)
  if (earlier) return earlier.node.position
  const later = headers.slice(stage).find(({ node }) => node.name === name)
  if (later) throw notBefore(later, query)
  return undefined
}

function numbered(headers: readonly StageHeader[], query: FromQuery): number {
  const index = Number(query.text)
  const header = headers[index]
  if (!header) {
    throw new UserError(`invalid stage index ${query.text}`, {
      hint: `the file has stages 0 to ${headers.length - 1}; a name (FROM image AS name) is safer than a number`,
      at: query.place,
    })
  }
  if (index >= query.stage) throw notBefore(header, query)
  return index
}

function notBefore(header: StageHeader, { stage, place }: FromQuery): Error {
  const { position } = header.node
  if (position === stage) {
    return new UserError(`circular dependency: stage ${header.title} takes files from itself`, {
      hint: 'files of the stage itself need no --from; name another stage',
      at: place,
    })
  }
  return new UserError(`stage ${header.title} needs to be defined before the current stage`, {
    hint: `move ${header.title} above this stage; stages refer only to stages before them`,
    at: place,
  })
}
