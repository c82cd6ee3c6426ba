import { needsReport, startedPrograms } from '#analyze'
import type { Measured } from './proposal.ts'

/** An image that could stand in FROM instead of the present base. Plain data. */
export interface BaseAdvice {
  /** As FROM would name it. */
  readonly name: string
  /** What the image starts, without leading slash. */
  readonly programs: readonly string[]
  /** Bytes of file content that the image would have. */
  readonly bytes: number
  readonly saving: number
  /** Files of the present base that the programs need and that are others there. */
  readonly different: readonly string[]
}

/** Another base for less than this part of the image is not worth a word. */
const smallestPart = 0.02

/**
 * Smaller images that have what the started programs need of the present base: libraries, loader, interpreters, as their needs tell.
 * The smallest first; none where nothing tells what is started, or which layers are the base's.
 */
export function baseAdvice({ study, bases }: Measured): readonly BaseAdvice[] {
  const programs = startedPrograms(study)
  const { analysis, trace, image } = study
  const baseLayers = image.base?.layers ?? 0
  if (programs.length === 0 || baseLayers === 0) return []
  const present = analysis.layers.reduce((sum, { inBase, size }) => (inBase ? sum + size : sum), 0)
  const isOfBase = (path: string): boolean => {
    const node = trace.tree.node(path.replace(/\/$/, ''))
    return node !== undefined && (node.copy?.origin ?? node.layer) < baseLayers
  }
  const advice = bases.flatMap(({ name, study: base }): readonly BaseAdvice[] => {
    const saving = present - base.analysis.totals.size
    if (saving < smallestPart * analysis.totals.size) return []
    const report = needsReport(study, { paths: programs, other: base, from: '', runTime: false })
    const ofBase = report.needs.filter(({ path, target }) => isOfBase(target ?? path))
    const isProgram = (path: string): boolean => programs.includes(path)
    const lacks = ofBase.some(({ path, there }) => there === 'missing' || (isProgram(path) && there !== 'same'))
    const speaksAgainst = report.in?.problems.some(problem => !/another version of the loader/.test(problem)) === true
    if (lacks || speaksAgainst || report.broken.length > 0) return []
    const different = ofBase.flatMap(({ path, there }) => (there === 'different' ? [path] : []))
    return [{ name, programs, bytes: analysis.totals.size - saving, saving, different }]
  })
  return advice.toSorted((a, b) => b.saving - a.saving)
}
