import { readFileSync } from 'node:fs'
import { formatPlatform } from '#oci'
import type { Study } from './analyze-image.ts'
import { fileKinds, kindOf, kindTitles } from './file-kinds.ts'
import type { FileCopy } from './trace-layers.ts'

/** `page/data.ts` says what each part means. */
type Node = readonly [name: string, children: readonly Node[]] | readonly [name: string, kind: number, copies: number[]]

interface Draft {
  readonly children: Map<string, Draft>
  copies: number[] | undefined
  kind: number
}

/** Made by `npm run build` from `page/`; as near from the sources as from the compiled files. */
const template = new URL('../../dist/report-page.html', import.meta.url)

/**
 * One page that shows an image: treemap and tree of files by layer, what is hidden, a timeline, changes, savings. It
 * loads nothing and works from `file://`. `compared`: another image, from which the changes are shown first.
 */
export function htmlReport(study: Study, compared?: Study): string {
  const json = JSON.stringify(pageData(study, compared))
    // Nothing of the image may end the element that it stands in.
    .replaceAll('<', String.raw`\u003c`)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`)
  return readFileSync(template, 'utf8').replace('<!--DATA-->', () => json)
}

const how = { removed: 0, replaced: 1, reowned: 2 } as const

function pageData(study: Study, compared?: Study): object {
  const { analysis, image } = study
  const { base, totals } = analysis
  return {
    title: image.name,
    id: image.id,
    platform: formatPlatform(image.config),
    base: base.layers === 0 ? 'base not known' : `base ${base.reference ?? `of ${base.layers} layers`}`,
    size: totals.size,
    visible: totals.visible,
    waste: totals.waste,
    savings: totals.savings,
    files: totals.files,
    layers: analysis.layers.map(({ instruction, size, hidden, inBase }) => ({
      text: instruction.text,
      line: inBase ? 0 : (instruction.lines?.first ?? 0),
      size,
      hidden,
      inBase,
    })),
    causes: analysis.causes.map(({ kind, title, saving, inBase, paths, rewrite }) => ({
      kind,
      title,
      saving,
      inBase,
      paths: paths.slice(0, 8).map(({ path, bytes }) => [path, bytes]),
      advice: rewrite.text,
      lines: rewrite.lines,
    })),
    kinds: fileKinds.map(kind => kindTitles[kind]),
    tree: treeOf(study.trace.copies),
    ...(compared && { compared: { title: compared.image.name, tree: treeOf(compared.trace.copies) } }),
  }
}

/** Every path that ever had bytes, with all its copies. */
function treeOf(copies: readonly FileCopy[]): Node {
  const root: Draft = { children: new Map(), copies: undefined, kind: 0 }
  for (const { entry, layer, end } of copies) {
    if (entry.size === 0) continue
    const draft = draftAt(root, entry.path)
    if (draft.copies === undefined) {
      const kind = kindOf(entry.path)
      draft.kind = kind === undefined ? 0 : fileKinds.indexOf(kind) + 1
    }
    draft.copies ??= []
    draft.copies.push(layer, entry.size, end?.layer ?? -1, end ? how[end.how] : 0)
  }
  return nodeOf('', root)
}

function draftAt(root: Draft, path: string): Draft {
  let at = root
  for (const name of path.split('/')) {
    let next = at.children.get(name)
    if (!next) {
      next = { children: new Map(), copies: undefined, kind: 0 }
      at.children.set(name, next)
    }
    at = next
  }
  return at
}

/** A path that was a file in one layer and a directory in another is both: the file stands inside. */
function nodeOf(name: string, { children, copies, kind }: Draft): Node {
  if (copies && children.size === 0) return [name, kind, copies]
  const nodes = [...children].map(([child, draft]) => nodeOf(child, draft))
  return [name, copies ? [['.', kind, copies], ...nodes] : nodes]
}
