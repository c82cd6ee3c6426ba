import type { OmittedDependency } from '#debian'
import { type Place, positionOf, type ProgressEvent, type UserError, type Warning } from '#diagnostics'

/** An image that a command made. */
export interface ImageResult {
  /** `sha256:…`. */
  readonly id: string
  /** Familiar names that it got. */
  readonly names: readonly string[]
  /** Of a minimal base: dependencies that it does not follow; only JSON says them here. */
  readonly omitted?: readonly OmittedDependency[]
}

/** Where in which text; line and column count from 1. */
export interface JsonPlace {
  readonly file: string
  readonly line: number
  readonly column: number
}

/**
 * One line of `--progress json`: the progress events as they are, but with the bytes of a log as text, places as file,
 * line and column, and as the last line the image that came out or the error that ended the command. `time` is
 * milliseconds since 1970.
 */
export type JsonEvent =
  | Exclude<ProgressEvent, { kind: 'log' | 'warning' | 'span' }>
  | {
      readonly kind: 'log'
      readonly id: number
      readonly stream: 'stdout' | 'stderr'
      /** UTF-8 with U+FFFD for what is not; a character is never split between two events. */
      readonly data: string
      readonly time: number
    }
  | {
      readonly kind: 'warning'
      readonly code: string
      readonly message: string
      readonly hint?: string
      readonly at?: JsonPlace
      /** The page that explains it. */
      readonly url?: string
      readonly time: number
    }
  | {
      readonly kind: 'result'
      /** The image's id. */
      readonly image: string
      /** Names that it got. */
      readonly names: readonly string[]
      /** Of a minimal base: dependencies that it does not follow. */
      readonly omitted?: readonly OmittedDependency[]
      readonly time: number
    }
  | {
      readonly kind: 'error'
      readonly message: string
      readonly hint: string
      readonly details: readonly string[]
      readonly at?: JsonPlace
      readonly exitCode: number
      readonly time: number
    }

/** Events as JSON, one a line. Gives the text to write for each event; may be empty. */
export function openJson(): (event: ProgressEvent) => string {
  const decoders = new Map<string, InstanceType<typeof TextDecoder>>()
  const decode = (id: number, stream: 'stdout' | 'stderr', data: Uint8Array): string => {
    const key = `${stream} ${id}`
    const decoder = decoders.get(key) ?? new TextDecoder()
    decoders.set(key, decoder)
    return decoder.decode(data, { stream: true })
  }
  const rest = (id: number, time: number): string =>
    (['stdout', 'stderr'] as const)
      .map(stream => {
        const data = decoders.get(`${stream} ${id}`)?.decode() ?? ''
        decoders.delete(`${stream} ${id}`)
        return data === '' ? '' : line({ kind: 'log', id, stream, data, time })
      })
      .join('')
  return event => {
    switch (event.kind) {
      case 'log': {
        const data = decode(event.id, event.stream, event.data)
        return data === '' ? '' : line({ ...event, data })
      }
      case 'warning':
        return line(warningEvent(event.warning, event.time))
      case 'done':
      case 'failed':
        return rest(event.id, event.time) + line(event)
      case 'begin':
      case 'transfer':
      case 'cache':
        return line(event)
      case 'span':
        return ''
    }
  }
}

/** The image that came out, as the last line. */
export function jsonResult({ id, names, omitted }: ImageResult, time: number): string {
  return line({ kind: 'result', image: id, names, ...(omitted && { omitted }), time })
}

/** The error that ended the command, as the last line. */
export function jsonError(error: UserError, time: number): string {
  const { message, hint, details, exitCode } = error
  return line({ kind: 'error', message, hint, details, ...(error.at && { at: placeOf(error.at) }), exitCode, time })
}

function warningEvent({ code, message, hint, at, url }: Warning, time: number): JsonEvent {
  return {
    kind: 'warning',
    code,
    message,
    ...(hint !== undefined && { hint }),
    ...(at && { at: placeOf(at) }),
    ...(url !== undefined && { url }),
    time,
  }
}

function placeOf({ source, span }: Place): JsonPlace {
  return { file: source.name, ...positionOf(source, span.start) }
}

function line(event: JsonEvent): string {
  return `${JSON.stringify(event)}\n`
}
