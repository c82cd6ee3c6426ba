import { formatPlatform } from '#oci'
import type { LayerTree } from '#tree'
import type { Cause } from './causes/cause.ts'
import { findCauses } from './causes/find-causes.ts'
import { type FileKind, fileKinds } from './file-kinds.ts'
import { instructionsOf } from './instructions.ts'
import { type LayerReport, type LineReport, layerReports, lineReports } from './layer-reports.ts'
import { findPackages, type PackageReport, type Packages } from './packages/find-packages.ts'
import type { ImageBase, ReadableImage } from './readable-image.ts'
import {
  type DirectoryReport,
  type DuplicateReport,
  findDuplicates,
  surveyTree,
  type TreeSurvey,
} from './survey-tree.ts'
import { type LayerTrace, traceLayers } from './trace-layers.ts'

/** What is in an image, in bytes of file content. Plain data. */
export interface Analysis {
  readonly image: {
    readonly name: string
    readonly id: string
    readonly platform: string
    readonly created?: string
    /** The Dockerfile that lines are of, where known. */
    readonly dockerfile?: string
  }
  readonly base: ImageBase
  readonly totals: Totals
  /** Base first. */
  readonly layers: readonly LayerReport[]
  readonly lines: readonly LineReport[]
  /** The image's own first, by saving. */
  readonly causes: readonly Cause[]
  /** By what they take too much. */
  readonly duplicates: readonly DuplicateReport[]
  /** All of the final tree, largest first. */
  readonly directories: readonly DirectoryReport[]
  readonly packages: readonly PackageReport[]
  readonly kinds: readonly KindReport[]
}

export interface Totals {
  /** Of all layers. */
  readonly size: number
  /** Of the final tree: `size` without what is hidden. */
  readonly visible: number
  readonly files: number
  /** Hidden bytes of the image's own layers: what a later layer removes, replaces or merely re-owns. */
  readonly waste: number
  /** Hidden bytes of the base image's layers, counted apart: by itself, and by the layers above it. */
  readonly wasteInBase: { readonly byBase: number; readonly byOwn: number }
  /** What all causes outside of the base would save: waste and needless files. */
  readonly savings: number
  readonly duplicates: number
}

/** Bytes of the final tree by what files are for. */
export interface KindReport {
  readonly kind: FileKind
  readonly bytes: number
  readonly files: number
  /** Of these, those that came with the base image. */
  readonly inBase: number
}

/** An analysis with what it was made from, for those who look closer. */
export interface Study {
  readonly image: ReadableImage
  readonly trace: LayerTrace
  readonly survey: TreeSurvey
  readonly packages: Packages
  readonly analysis: Analysis
}

/** Lists every layer once and accounts for every byte. Contents are read of package records only. */
export async function analyzeImage(image: ReadableImage): Promise<Analysis> {
  return (await studyImage(image)).analysis
}

export async function studyImage(image: ReadableImage): Promise<Study> {
  const layers: LayerTree[] = []
  for (const layer of image.layers) layers.push(await layer.entries())
  const trace = traceLayers(layers)
  const survey = surveyTree(trace)
  const baseLayers = image.base?.layers ?? 0
  const instructions = instructionsOf(image)
  const packages = findPackages(trace, survey.hints, baseLayers)
  const reports = layerReports(image, trace, instructions)
  const causes = findCauses({ trace, survey, packages, instructions, baseLayers })
  const duplicates = findDuplicates(survey.files).map(
    ({ content, size, extra, paths }): DuplicateReport => ({ content, size, extra, paths }),
  )
  const { config, recipe } = image
  const analysis: Analysis = {
    image: {
      name: image.name,
      id: image.id,
      platform: formatPlatform(config),
      ...(config.created !== undefined && { created: config.created }),
      ...(recipe && { dockerfile: recipe.dockerfile }),
    },
    base: image.base ?? { source: 'none', layers: 0 },
    totals: {
      size: sum(reports, report => report.size),
      visible: survey.bytes,
      files: survey.files.length,
      waste: sum(reports, report => (report.inBase ? 0 : report.hidden)),
      wasteInBase: wasteInBase(trace, baseLayers),
      savings: sum(causes, cause => (savesHere(cause) ? cause.saving : 0)),
      duplicates: sum(duplicates, ({ extra }) => extra),
    },
    layers: reports,
    lines: lineReports(reports),
    causes,
    duplicates,
    directories: survey.directories,
    packages: packages.reports,
    kinds: kindReports(survey, baseLayers),
  }
  return { image, trace, survey, packages, analysis }
}

/** Whether a change of this image's own Dockerfile saves the bytes: the base stays, but its files need no second copy. */
export function savesHere({ inBase, kind }: Pick<Cause, 'inBase' | 'kind'>): boolean {
  return !inBase || kind === 'reowned-later'
}

function wasteInBase({ copies }: LayerTrace, baseLayers: number): Totals['wasteInBase'] {
  const hidden = copies.filter(({ layer, end }) => end && layer < baseLayers)
  const [byBase, byOwn] = [true, false].map(wanted =>
    sum(hidden, ({ entry, end }) => ((end?.layer ?? 0) < baseLayers === wanted ? entry.size : 0)),
  )
  return { byBase: byBase ?? 0, byOwn: byOwn ?? 0 }
}

function kindReports({ byKind }: TreeSurvey, baseLayers: number): readonly KindReport[] {
  const reports = fileKinds.flatMap(kind => {
    const copies = byKind.get(kind)
    if (!copies) return []
    const bytes = sum(copies, ({ entry }) => entry.size)
    const inBase = sum(copies, ({ entry, layer }) => (layer < baseLayers ? entry.size : 0))
    return [{ kind, bytes, files: copies.length, inBase }]
  })
  return reports.sort((a, b) => b.bytes - a.bytes)
}

function sum<T>(list: readonly T[], amount: (each: T) => number): number {
  return list.reduce((all, each) => all + amount(each), 0)
}
