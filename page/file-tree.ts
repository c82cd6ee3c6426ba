import { formatBytes, type Item } from './model.ts'

export interface TreeView {
  readonly root: Item
  /** A flat list instead of the tree. */
  readonly found?: readonly Item[]
  readonly onChoose: (item: Item) => void
}

/** More rows than this at once only slow a browser down. */
const mostRows = 400

/** The tree of files, the largest first; arrow keys move, open and close, Enter chooses. */
export function drawTree(element: HTMLElement, view: TreeView): void {
  const focusedPath = (document.activeElement as HTMLElement | null)?.dataset['path']
  const hadFocus = element.contains(document.activeElement)
  element.replaceChildren()
  const rows = view.found ? view.found.toSorted(bySize).map(item => ({ item, depth: 0 })) : openRows(view.root)
  for (const { item, depth } of rows.slice(0, mostRows)) element.append(row(element, item, { depth, view }))
  const rest = rows.length - mostRows
  if (rest > 0) {
    const note = document.createElement('p')
    note.textContent = `and ${rest} more: search for them, or close directories`
    element.append(note)
  }
  const nodes = [...element.querySelectorAll<HTMLElement>('.node')]
  const focused = nodes.find(node => node.dataset['path'] === focusedPath) ?? nodes[0]
  if (focused) focused.tabIndex = 0
  if (hadFocus) focused?.focus()
}

function openRows(root: Item): { item: Item; depth: number }[] {
  const rows: { item: Item; depth: number }[] = []
  const visit = (item: Item, depth: number): void => {
    for (const child of (item.children ?? []).filter(each => each.bytes > 0).sort(bySize)) {
      rows.push({ item: child, depth })
      if (child.open) visit(child, depth + 1)
    }
  }
  visit(root, 0)
  return rows
}

function bySize(a: Item, b: Item): number {
  return b.bytes - a.bytes || (a.path < b.path ? -1 : 1)
}

function row(element: HTMLElement, item: Item, { depth, view }: { depth: number; view: TreeView }): HTMLElement {
  const node = document.createElement('div')
  node.className = 'node'
  node.role = 'treeitem'
  node.tabIndex = -1
  node.dataset['path'] = item.path
  node.ariaLevel = String(depth + 1)
  node.style.paddingLeft = `${4 + depth * 14}px`
  if (item.children) node.ariaExpanded = String(item.open)
  const name = document.createElement('span')
  name.className = view.found ? 'name path' : 'name'
  name.title = item.path
  name.textContent = `${item.children ? (item.open ? '▾ ' : '▸ ') : ''}${view.found ? item.path : item.name}${item.children ? '/' : ''}`
  const bytes = document.createElement('span')
  bytes.className = 'bytes'
  bytes.textContent = formatBytes(item.bytes)
  node.append(name)
  if (item.hidden > 0) {
    const hidden = document.createElement('span')
    hidden.className = 'hide'
    hidden.textContent = `${formatBytes(item.hidden)} hidden`
    node.append(hidden)
  }
  node.append(bytes)
  node.addEventListener('click', () => {
    if (item.children && !view.found) item.open = !item.open
    view.onChoose(item)
  })
  node.addEventListener('keydown', event => onKey(event, element, { item, node, view }))
  return node
}

function onKey(
  event: KeyboardEvent,
  element: HTMLElement,
  { item, node, view }: { readonly item: Item; readonly node: HTMLElement; readonly view: TreeView },
): void {
  const nodes = [...element.querySelectorAll<HTMLElement>('.node')]
  const at = nodes.indexOf(node)
  const move = (target: HTMLElement | undefined): void => {
    if (!target) return
    node.tabIndex = -1
    target.tabIndex = 0
    target.focus()
  }
  switch (event.key) {
    case 'ArrowDown':
      move(nodes[at + 1])
      break
    case 'ArrowUp':
      move(nodes[at - 1])
      break
    case 'Home':
      move(nodes[0])
      break
    case 'End':
      move(nodes.at(-1))
      break
    case 'ArrowRight':
    case 'ArrowLeft': {
      const open = event.key === 'ArrowRight'
      if (item.children && item.open !== open) {
        item.open = open
        drawTree(element, view)
      } else if (!open) move(nodes.find(each => each.dataset['path'] === item.parent?.path))
      else move(nodes[at + 1])
      break
    }
    case 'Enter':
    case ' ':
      view.onChoose(item)
      break
    default:
      return
  }
  event.preventDefault()
}
