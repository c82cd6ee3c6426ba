import { nearest } from '#diagnostics'
import { parsePlatform, type Platform } from '#oci'
import { usageError } from '../usage-error.ts'

const levels = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'] as const

/** What carries an annotation: a manifest or the index, or the entry that names it. */
export type AnnotationLevel = (typeof levels)[number]

export interface AnnotationOption {
  readonly targets: readonly {
    readonly level: AnnotationLevel
    /** Only the manifest of this platform; absent: every one. */
    readonly platform?: Platform
  }[]
  readonly key: string
  readonly value: string
}

/**
 * `[LEVEL[PLATFORM],…:]KEY=VALUE`, where LEVEL is manifest (the default), index, manifest-descriptor or
 * index-descriptor, and `[PLATFORM]` stands in brackets. Throws a `UserError` (wrong usage).
 */
export function parseAnnotation(text: string): AnnotationOption {
  const equals = text.indexOf('=')
  if (equals === -1) {
    throw usageError(`--annotation ${text}: no value`, 'write --annotation KEY=VALUE or --annotation LEVEL:KEY=VALUE')
  }
  const [name, value] = [text.slice(0, equals), text.slice(equals + 1)]
  const colon = name.indexOf(':')
  const prefix = colon === -1 ? 'manifest' : name.slice(0, colon)
  const key = name.slice(colon + 1)
  if (key === '') throw usageError(`--annotation ${text}: no key before "="`, 'write --annotation KEY=VALUE')
  return { targets: prefix.split(',').map(target => parseTarget(target, text)), key, value }
}

function parseTarget(target: string, text: string): AnnotationOption['targets'][number] {
  const [, word = target, platform] = /^([^[\]]*)\[([^[\]]+)\]$/.exec(target) ?? []
  const level = levels.find(each => each === word)
  if (level === undefined) {
    const near = nearest(word, levels)
    throw usageError(
      `--annotation ${text}: unknown level ${JSON.stringify(word)}`,
      near === undefined ? `the levels are ${levels.join(', ')}` : `did you mean "${near}"?`,
    )
  }
  if (platform === undefined) return { level }
  if (level.startsWith('index')) {
    throw usageError(`--annotation ${text}: an index is for all platforms`, 'leave [PLATFORM] out, or write manifest')
  }
  return { level, platform: parsePlatform(platform) }
}
