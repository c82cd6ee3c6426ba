import { formatPlatform } from '#oci'
import type { BuildFlags } from '../commands/build.ts'
import type { AnnotationOption } from '../options/annotation.ts'
import { usageError } from '../usage-error.ts'

/**
 * Says, before anything is built, what cannot be done with the result: several platforms where only one fits, and
 * annotations that nothing would carry. Throws a `UserError` (wrong usage).
 */
export function checkImageOptions({
  platform = [],
  output = [],
  annotation = [],
  tag = [],
  cacheTo = [],
  iidfile,
  verify,
  printPlan,
  call,
  check,
}: BuildFlags): void {
  const several = platform.length > 1
  const asOci = output.some(({ type }) => type === 'oci' || type === 'registry')
  if (several && output.some(({ type }) => type === 'docker')) {
    throw usageError('a Docker archive holds one platform', 'write type=oci, which makes an index of them')
  }
  if (several && iidfile !== undefined && !asOci) {
    throw usageError(
      '--iidfile names one image, and there is one for each platform',
      'add an output of type=oci, or --push',
    )
  }
  if (tag.length === 0 && output.some(each => each.type === 'registry' && each.names.length === 0)) {
    throw usageError('nobody knows what to push to', 'add -t HOST/REPOSITORY:TAG')
  }
  if (cacheTo.some(({ type }) => type === 'inline') && !asOci && !output.some(({ type }) => type === 'docker')) {
    throw usageError(
      '--cache-to type=inline: no image with a manifest is written',
      'add --push, or an output of type=oci',
    )
  }
  const instead = printPlan ? '--print-plan' : check ? '--check' : call ? '--call' : undefined
  if (verify && instead !== undefined)
    throw usageError(`${instead} builds nothing that could be verified`, 'leave one of them out')
  const [first] = annotation
  if (first && !asOci) {
    throw usageError(
      `--annotation ${first.key}: nothing carries it`,
      'add an output of type=oci, or --push: only manifests and indexes have annotations',
    )
  }
  for (const option of annotation) checkAnnotation(option, { several, platforms: platform.map(formatPlatform) })
}

function checkAnnotation(
  { key, targets }: AnnotationOption,
  { several, platforms }: { readonly several: boolean; readonly platforms: readonly string[] },
): void {
  for (const { level, platform } of targets) {
    if (!several && level.startsWith('index')) {
      throw usageError(
        `--annotation ${level}:${key}: one platform makes no index`,
        'write manifest, or build for several platforms',
      )
    }
    if (platform && platforms.length > 0 && !platforms.includes(formatPlatform(platform))) {
      throw usageError(
        `--annotation ${key}: ${formatPlatform(platform)} is not built`,
        `the platforms are ${platforms.join(', ')}`,
      )
    }
  }
}
