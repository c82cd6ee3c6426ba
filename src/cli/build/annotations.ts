import type { Annotations } from '#image'
import { formatPlatform, type Platform } from '#oci'
import type { AnnotationLevel, AnnotationOption } from '../options/annotation.ts'

/** `org.opencontainers.image.created` (image-spec, annotations.md). */
const createdKey = 'org.opencontainers.image.created'

/** What `--annotation` gives to the manifest of a platform or to the index; undefined: nothing. */
export function annotationsOf(
  options: readonly AnnotationOption[],
  level: AnnotationLevel,
  platform?: Platform,
): Annotations | undefined {
  const fitting = options.filter(({ targets }) =>
    targets.some(
      target =>
        target.level === level &&
        (!target.platform || (platform && formatPlatform(platform) === formatPlatform(target.platform))),
    ),
  )
  return fitting.length === 0 ? undefined : Object.fromEntries(fitting.map(({ key, value }) => [key, value]))
}

/** The time of a reproducible build stands beside the image in the index, too (section 15.4 of the language page). */
export function withCreated(annotations: Annotations | undefined, epoch: number | undefined): Annotations | undefined {
  if (epoch === undefined) return annotations
  const created = new Date(epoch * 1000).toISOString().replace('.000Z', 'Z')
  return { [createdKey]: created, ...annotations }
}
