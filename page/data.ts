/** What the page is about, as `src/analyze/html-report.ts` writes it into the page. Kept short: there may be 100,000 files. */
export interface PageData {
  readonly title: string
  readonly id: string
  readonly platform: string
  readonly base: string
  readonly size: number
  readonly visible: number
  readonly waste: number
  readonly savings: number
  readonly files: number
  readonly layers: readonly PageLayer[]
  readonly causes: readonly PageCause[]
  /** Titles of kinds of files, by number. */
  readonly kinds: readonly string[]
  readonly tree: PageDirectory
  /** A second image, where there is one: the changes from it to this one. */
  readonly compared?: { readonly title: string; readonly tree: PageDirectory }
}

export interface PageLayer {
  readonly text: string
  readonly line: number
  readonly size: number
  readonly hidden: number
  readonly inBase: boolean
}

export interface PageCause {
  readonly kind: string
  readonly title: string
  readonly saving: number
  readonly inBase: boolean
  readonly paths: readonly (readonly [path: string, bytes: number])[]
  readonly advice: string
  readonly lines: readonly string[]
}

export type PageDirectory = readonly [name: string, children: readonly PageNode[]]
/** Four numbers for each copy: layer, bytes, the layer that hides it (-1: none), how (0 removed, 1 replaced, 2 re-owned). */
export type PageFile = readonly [name: string, kind: number, copies: readonly number[]]
export type PageNode = PageDirectory | PageFile
