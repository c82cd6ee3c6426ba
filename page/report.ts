import type { PageData } from './data.ts'
import { count, countChanges, formatBytes, type Item, readData, readTree, walk } from './model.ts'
import { drawTimeline, layerAt } from './timeline.ts'
import { openTreemap } from './treemap.ts'
import { drawTree } from './file-tree.ts'

const data: PageData = readData()
const tree = readTree(data.tree)
const last = data.layers.length - 1
const state: { layer: number | undefined; zoom: Item; search: string; color: string; hidden: boolean } = {
  layer: undefined,
  zoom: tree,
  search: '',
  color: 'layer',
  hidden: true,
}

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page lacks #${id}`)
  return found as T
}

function make(tag: string, className: string, text = ''): HTMLElement {
  const made = document.createElement(tag)
  made.className = className
  made.textContent = text
  return made
}

/** Colours far apart in hue; light enough for dark text in both themes. */
function colorOf(number: number): string {
  return `oklch(0.78 0.11 ${Math.round((number * 137.5 + 250) % 360)})`
}

function fill(item: Item): string {
  if (state.color === 'layer') return colorOf(item.layer)
  return item.kind === 0 ? 'oklch(0.8 0.02 250)' : colorOf(item.kind)
}

const map = openTreemap(
  element<HTMLCanvasElement>('map'),
  item => tell(item),
  item => zoomTo(item.children ? item : (item.parent ?? tree)),
)

function tell(item: Item): void {
  const layers = item.copies.map(({ layer, size, end, how }) => {
    const fate = end === -1 ? '' : `, ${['removed', 'replaced', 're-owned'][how]} by layer ${end}`
    return `layer ${layer}: ${formatBytes(size)}${fate}`
  })
  const kind = item.kind === 0 ? '' : ` · ${data.kinds[item.kind - 1]}`
  const waste = item.hidden > 0 ? ` · ${formatBytes(item.hidden)} hidden` : ''
  element('status').textContent =
    `${item.path || '/'} · ${formatBytes(item.bytes)}${waste}${kind}${layers.length > 0 ? ` · ${layers.join('; ')}` : ''}`
}

const hint = 'Areas are bytes. Hatched: bytes that a later layer hides. Click or Enter goes in, Escape out.'

function zoomTo(item: Item): void {
  state.zoom = item
  element('status').textContent = hint
  const crumbs = element('crumbs')
  crumbs.replaceChildren()
  const way: Item[] = []
  for (let at: Item | undefined = item; at; at = at.parent) way.unshift(at)
  for (const each of way) {
    const button = make('button', '', each.name || '/')
    button.addEventListener('click', () => zoomTo(each))
    crumbs.append(button)
  }
  render()
}

function matches(item: Item): boolean {
  return item.path.toLowerCase().includes(state.search)
}

function render(): void {
  count(tree, { upTo: last, only: state.layer, hidden: state.hidden })
  map.show(state.zoom, {
    value: item => item.bytes,
    fill,
    struck: item => item.hidden,
    isMatch: state.search === '' ? undefined : matches,
  })
  drawTimeline(element<HTMLCanvasElement>('timeline'), data.layers, { layer: state.layer, color: colorOf })
  renderTree()
}

function renderTree(): void {
  const found = state.search === '' ? undefined : [...walk(tree)].filter(item => item.bytes > 0 && matches(item))
  element('side-title').textContent = found
    ? `${found.length} found`
    : state.layer === undefined
      ? 'Files'
      : `Files of layer ${state.layer}`
  drawTree(element('tree'), {
    root: tree,
    ...(found && { found }),
    onChoose: item => {
      if (item.children) zoomTo(item)
      else {
        zoomTo(item.parent ?? tree)
        map.focus(item)
      }
    },
  })
}

function renderHead(): void {
  document.title = `${data.title}: image report`
  element('title').textContent = data.title
  element('subtitle').textContent = `${data.platform} · ${data.id.slice(7, 19)} · ${data.base}`
  const totals: [string, string, string][] = [
    ['all layers', formatBytes(data.size), ''],
    ['can be seen', formatBytes(data.visible), ''],
    ['waste', formatBytes(data.waste), data.waste > 0 ? 'waste' : 'good'],
    ['could be saved', formatBytes(data.savings), ''],
    ['files', String(data.files), ''],
  ]
  for (const [name, text, style] of totals) {
    const pair = document.createElement('div')
    pair.append(make('dt', '', name), make('dd', style, text))
    element('totals').append(pair)
  }
}

function choose(layer: number | undefined): void {
  state.layer = layer
  for (const [i, row] of [...element('layers').children].entries()) {
    row.setAttribute('aria-selected', String(i === layer))
    if (i === layer) row.scrollIntoView({ block: 'nearest' })
  }
  element('layers').setAttribute('aria-activedescendant', layer === undefined ? '' : `layer-${layer}`)
  zoomTo(tree)
}

function renderLayers(): void {
  const list = element('layers')
  for (const [i, layer] of data.layers.entries()) {
    const row = make('div', 'layer')
    row.id = `layer-${i}`
    row.role = 'option'
    row.setAttribute('aria-selected', 'false')
    const swatch = make('span', 'swatch')
    swatch.style.background = colorOf(i)
    const where = layer.inBase ? 'base image' : layer.line > 0 ? `line ${layer.line}` : ''
    const note = make('span', 'note', `layer ${i}${where ? ` · ${where}` : ''}`)
    if (layer.hidden > 0) note.append(' · ', make('b', '', `${formatBytes(layer.hidden)} hidden`))
    row.append(
      swatch,
      make('span', 'text', layer.text || '(no history)'),
      make('span', 'size', formatBytes(layer.size)),
      note,
    )
    row.addEventListener('click', () => choose(state.layer === i ? undefined : i))
    list.append(row)
  }
  list.addEventListener('keydown', event => {
    const at = state.layer ?? -1
    const next = { ArrowDown: Math.min(last, at + 1), ArrowUp: Math.max(0, at - 1), Home: 0, End: last }[event.key]
    if (next === undefined && event.key !== 'Escape') return
    event.preventDefault()
    choose(next)
  })
  const timeline = element<HTMLCanvasElement>('timeline')
  timeline.addEventListener('click', event => {
    const layer = layerAt(timeline, event.offsetX, data.layers.length)
    choose(state.layer === layer ? undefined : layer)
  })
}

function renderSavings(): void {
  const panel = element('panel-savings')
  if (data.causes.length === 0) panel.append(make('p', 'cause', 'Nothing was found that could be saved.'))
  for (const cause of data.causes) {
    const block = make('article', 'cause')
    const head = make('h3', '', `${cause.saving > 0 ? formatBytes(cause.saving) : 'Faster builds'} `)
    head.append(make('span', 'kind', `${cause.kind}${cause.inBase ? ' · in the base image' : ''}`))
    const paths = make('ul', '')
    for (const [path, bytes] of cause.paths) paths.append(make('li', '', `/${path} ${formatBytes(bytes)}`))
    block.append(head, make('p', '', cause.title), paths, make('p', '', cause.advice))
    if (cause.lines.length > 0) block.append(make('pre', '', cause.lines.join('\n')))
    panel.append(block)
  }
}

/** As many as a person looks at. */
const mostChanges = 500

function renderChanges(): void {
  const [from, to] = [Number(element<HTMLSelectElement>('from').value), Number(element<HTMLSelectElement>('to').value)]
  const { before, after } = comparison(from, to)
  const rows = changedPaths(before, after)
  const sum = (name: 'added' | 'removed'): number => rows.reduce((all, each) => all + each[name], 0)
  element('changes-sum').textContent =
    `${rows.length} files · +${formatBytes(sum('added'))} −${formatBytes(sum('removed'))}`
  const list = element('changes')
  list.replaceChildren()
  for (const { path, added, removed } of rows.slice(0, mostChanges)) {
    const row = make('div', 'row')
    const text = (bytes: number, sign: string): string => (bytes === 0 ? '' : `${sign}${formatBytes(bytes)}`)
    row.append(
      make('span', 'plus', text(added, '+')),
      make('span', 'minus', text(removed, '−')),
      make('code', '', path),
    )
    list.append(row)
  }
  if (rows.length > mostChanges) list.append(make('p', '', `and ${rows.length - mostChanges} more`))
}

/** -2 is the other image. */
function comparison(from: number, to: number): { before: Item | undefined; after: Item } {
  if (from !== -2 || !data.compared) {
    countChanges(tree, from, to)
    return { before: undefined, after: tree }
  }
  const other = readTree(data.compared.tree)
  count(other, { upTo: Number.POSITIVE_INFINITY, only: undefined, hidden: false })
  count(tree, { upTo: to, only: undefined, hidden: false })
  return { before: other, after: tree }
}

interface Changed {
  readonly path: string
  readonly added: number
  readonly removed: number
}

function changedPaths(before: Item | undefined, after: Item): Changed[] {
  const rows: Changed[] = []
  const old = new Map<string, number>()
  if (before) for (const item of walk(before)) if (!item.children && item.bytes > 0) old.set(item.path, item.bytes)
  for (const { path, children, bytes, added, removed } of walk(after)) {
    if (children) continue
    if (!before) {
      if (added + removed > 0) rows.push({ path, added, removed })
      continue
    }
    const was = old.get(path) ?? 0
    old.delete(path)
    if (bytes !== was) rows.push({ path, added: bytes, removed: was })
  }
  for (const [path, bytes] of old) rows.push({ path, added: 0, removed: bytes })
  return rows.sort((a, b) => b.added + b.removed - a.added - a.removed || (a.path < b.path ? -1 : 1))
}

function setUpChanges(): void {
  const from = element<HTMLSelectElement>('from')
  const to = element<HTMLSelectElement>('to')
  if (data.compared) from.append(new Option(data.compared.title, '-2'))
  from.append(new Option('nothing', '-1'))
  for (const [i, { text }] of data.layers.entries()) {
    const name = `${i} ${text}`.slice(0, 60)
    from.append(new Option(name, String(i)))
    to.append(new Option(name, String(i)))
  }
  const base = data.layers.filter(layer => layer.inBase).length
  from.value = data.compared ? '-2' : String(base - 1)
  to.value = String(last)
  for (const each of [from, to]) each.addEventListener('change', renderChanges)
}

const tabs = ['map', 'changes', 'savings'] as const

function show(name: (typeof tabs)[number]): void {
  for (const each of tabs) {
    const tab = element(`tab-${each}`)
    tab.setAttribute('aria-selected', String(each === name))
    tab.tabIndex = each === name ? 0 : -1
    element(`panel-${each}`).hidden = each !== name
  }
  if (name === 'changes') renderChanges()
  if (name === 'map') render()
}

function setUpTabs(): void {
  for (const [i, name] of tabs.entries()) {
    const tab = element(`tab-${name}`)
    tab.addEventListener('click', () => show(name))
    tab.addEventListener('keydown', event => {
      const step = { ArrowRight: 1, ArrowLeft: tabs.length - 1 }[event.key]
      const next = step === undefined ? undefined : tabs[(i + step) % tabs.length]
      if (!next) return
      show(next)
      element(`tab-${next}`).focus()
    })
  }
}

function setTheme(theme: string): void {
  document.documentElement.dataset['theme'] = theme
  element('theme').textContent = theme === 'dark' ? 'light' : 'dark'
}

function setUpTools(): void {
  const search = element<HTMLInputElement>('search')
  let waiting = 0
  search.addEventListener('input', () => {
    clearTimeout(waiting)
    waiting = window.setTimeout(() => {
      state.search = search.value.trim().toLowerCase()
      render()
    }, 120)
  })
  element<HTMLSelectElement>('color').addEventListener('change', event => {
    state.color = (event.target as HTMLSelectElement).value
    render()
  })
  element<HTMLInputElement>('hidden').addEventListener('change', event => {
    state.hidden = (event.target as HTMLInputElement).checked
    render()
  })
  element('theme').addEventListener('click', () => {
    setTheme(document.documentElement.dataset['theme'] === 'dark' ? 'light' : 'dark')
    render()
  })
  document.addEventListener('keydown', event => {
    if (event.key !== '/' || event.target instanceof HTMLInputElement) return
    event.preventDefault()
    search.focus()
  })
  const dark = window.matchMedia('(prefers-color-scheme: dark)')
  setTheme(dark.matches ? 'dark' : 'light')
  dark.addEventListener('change', () => {
    setTheme(dark.matches ? 'dark' : 'light')
    render()
  })
  window.addEventListener('resize', render)
}

/** The way to most of the bytes is open from the start. */
function openLargest(item: Item, depth: number): void {
  for (const child of item.children ?? []) {
    if (!child.children || child.bytes < tree.bytes / 6) continue
    child.open = true
    if (depth > 1) openLargest(child, depth - 1)
  }
}

renderHead()
renderLayers()
renderSavings()
setUpChanges()
setUpTabs()
setUpTools()
count(tree, { upTo: last, only: undefined, hidden: state.hidden })
openLargest(tree, 3)
zoomTo(tree)
if (data.compared) show('changes')
