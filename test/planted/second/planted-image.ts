import { createHash } from 'node:crypto'
import { writeArchive } from '../../oracle/tar-archive.ts'
import { packArchive } from '../pack-archive.ts'
import type { Sample } from './sample.ts'

/** Where a scan found something, as its report says. */
export interface FoundPlace {
  readonly kind: string
  readonly path?: string
  readonly member?: string
  readonly line?: number
  readonly name?: string
  readonly field?: string
  readonly entry?: number
  readonly hiddenBy?: number
}

/** A sample in the image: where a scan has to find it. */
export interface Planting {
  readonly sample: Sample
  readonly place: FoundPlace
  /** Lines of its secret, from 1; absent for a near miss. */
  readonly lines?: readonly [first: number, last: number]
}

const marks = /[«»‹›]/g

/** The text as it is planted. */
export const plain = (text: string): string => text.replace(marks, '')

function linesOf(text: string): Pick<Planting, 'lines'> {
  const start = text.indexOf('«')
  if (start === -1) return {}
  const first = text.slice(0, start).split('\n').length
  return { lines: [first, first + text.slice(start, text.indexOf('»')).split('\n').length - 1] }
}

/** Plants samples into a Docker archive of three layers; the third one deletes what is to be gone. */
export function plantedImage(samples: readonly Sample[]): {
  readonly archive: Buffer
  readonly plantings: readonly Planting[]
} {
  const layers: { path: string; body: Buffer }[][] = [[], [], []]
  const config = { Env: [] as string[], Labels: {} as Record<string, string> }
  const commands: Record<string, string[]> = {}
  const history = [{ created_by: 'COPY / / # buildkit' }]
  let healthcheck: string[] | undefined
  const plantings = samples.map((sample, i): Planting => {
    const { spot } = sample
    const text = plain(sample.text)
    const layer = layers[i % 2] as { path: string; body: Buffer }[]
    const at = (place: FoundPlace): Planting => ({ sample, place, ...linesOf(sample.text) })
    const [name = '', ...rest] = text.split('=')
    switch (spot.kind) {
      case 'file': {
        layer.push({ path: spot.path, body: Buffer.from(text) })
        if (!spot.gone) return at({ kind: 'file', path: spot.path })
        layers[2]?.push({ path: spot.path.replace(/[^/]+$/, '.wh.$&'), body: Buffer.alloc(0) })
        return at({ kind: 'file', path: spot.path, hiddenBy: 2 })
      }
      case 'member':
        layer.push({ path: spot.archive, body: packArchive(spot.archive, spot.path, Buffer.from(text)) })
        return at({ kind: 'file', path: spot.archive, member: spot.path })
      case 'env':
        config.Env.push(text)
        return at({ kind: 'env', name })
      case 'label':
        config.Labels[name] = rest.join('=')
        return at({ kind: 'label', name })
      case 'history':
        return at({ kind: 'history', entry: history.push({ created_by: text }) - 1 })
      case 'command': {
        const field = commands['Entrypoint'] ? 'Cmd' : 'Entrypoint'
        commands[field] = text.split('\n')
        return at({ kind: 'config', field })
      }
      case 'healthcheck':
        healthcheck = text.split('\n')
        return at({ kind: 'config', field: 'Healthcheck' })
    }
  })
  const runs = { ...config, ...commands, ...(healthcheck && { Healthcheck: { Test: healthcheck } }) }
  return { archive: dockerArchive(layers, { config: runs, history }), plantings }
}

function dockerArchive(
  layers: readonly (readonly { readonly path: string; readonly body: Buffer }[])[],
  config: object,
): Buffer {
  const attributes = { kind: 'file', mode: 0o600, uid: 0, gid: 0, mtime: 0 } as const
  const tars = layers.map(files => writeArchive(files.map(each => ({ ...attributes, ...each }))))
  const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
  const written = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: tars.map(tar => `sha256:${digest(tar)}`) },
      ...config,
    }),
  )
  const names = tars.map((_, i) => `${i}/layer.tar`)
  const manifest = [{ Config: `${digest(written)}.json`, RepoTags: ['planted:latest'], Layers: names }]
  const members = [
    { path: `${digest(written)}.json`, body: written },
    ...tars.map((body, i) => ({ path: names[i] as string, body })),
    { path: 'manifest.json', body: Buffer.from(JSON.stringify(manifest)) },
  ]
  return writeArchive(members.map(each => ({ ...attributes, ...each })))
}

/** Whether a finding is about this planting: at its place, and where it is a secret of several lines, within these. */
export function isAbout(found: FoundPlace, { place, lines, sample }: Planting): boolean {
  if (found.kind !== place.kind || found.path !== place.path || found.name !== place.name) return false
  if (found.field !== place.field || found.entry !== place.entry || found.hiddenBy !== place.hiddenBy) return false
  if (place.member !== undefined && !found.member?.endsWith(place.member)) return false
  if (place.member === undefined && found.member !== undefined) return false
  if (found.kind !== 'file' || !lines) return true
  const binary = sample.text.includes('\0')
  return binary || (found.line !== undefined && found.line >= lines[0] && found.line <= lines[1])
}
