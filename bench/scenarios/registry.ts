import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Builder } from '../builders.ts'
import type { Command, Run } from '../measure.ts'
import { gzippedRoot, type Registry } from '../registry.ts'
import { type Bed, imageId, newImage, resultTag, type Scenario } from '../scenario.ts'
import { fillRoot } from '../root-file-system.ts'
import { halfContext, halves } from './local.ts'

function missingRegistry(bed: Bed, ...commands: readonly string[]): string | undefined {
  if (!bed.registry) return 'needs docker-registry (Debian: docker-registry)'
  const unknown = commands.filter(command => !bed.knows(command))
  return unknown.length === 0 ? undefined : `slipway has no ${unknown.join(' and no ')} here`
}

function registryOf({ registry }: Bed): Registry {
  if (!registry) throw new Error('no registry')
  return registry
}

/** A name that others may have, too, on a registry of this machine. */
function nameFor({ name }: Builder): string {
  return name.replace(/\W+/g, '-').toLowerCase().replace(/-$/, '')
}

export const coldPull: Scenario = {
  id: 'S5',
  missing: bed => missingRegistry(bed, 'pull'),
  cases: async bed => {
    const registry = registryOf(bed)
    const archive = join(bed.folder, 'root.tar')
    const about = await fillRoot(bed, archive)
    const root = gzippedRoot(archive)
    // A new one for each round. Deleted only with everything else: for minutes ext4 does not give the inodes of deleted files
    // out again, and looks at every one of them whenever a file is made.
    const store = (round: number): string => join(bed.folder, `cold-store-${round}`)
    const marker = (round: number): string => `round-${round}`
    const offered = new Set<number>()
    const unpack = `gzip -dc ${archive}.gz | tar -xf - -C ${join(bed.folder, 'floor-root')}`
    const gzip = `gzip -1kf ${archive}; mkdir -p ${join(bed.folder, 'floor-root')}`
    await bed.run({ program: 'sh', args: ['-c', gzip] })
    return [
      {
        id: 'S5',
        title: `pull a base of ${(root.tar.length / 1e6).toFixed(0)} MB from a local registry and one RUN`,
        // Nobody's store is emptied: every round offers an image that shares no blob with those before.
        before: async (_, round) => {
          bed.left.add(`${registry.host}/base:${marker(round)}`)
          if (!offered.has(round)) await registry.addImage('base', root, marker(round))
          offered.add(round)
        },
        command: (builder, round) => {
          if (builder.name === 'podman') return undefined
          const dockerfile = bed.dockerfile(
            `S5-${round}`,
            `FROM ${registry.host}/base:${marker(round)}\nRUN echo done > /done\n`,
          )
          const command = builder.build({ dockerfile, context: bed.folder, tag: resultTag, cached: false, pull: true })
          return builder === bed.slipway ? { ...command, env: { ...command.env, SLIPWAY_ROOT: store(round) } } : command
        },
        check: newImage(),
        note: () => about,
        floor: { text: 'GNU tar and gzip unpack the same', commands: [{ program: 'sh', args: ['-c', unpack] }] },
      },
    ]
  },
}

export const push: Scenario = {
  id: 'S6',
  missing: bed => missingRegistry(bed, 'push'),
  cases: async bed => {
    const registry = registryOf(bed)
    const context = halfContext(bed)
    const dockerfile = bed.dockerfile('S6', `FROM ${bed.base}\nCOPY . /data/\n`)
    const tag = (builder: Builder, compression: string, round: number): string =>
      `${registry.host}/${nameFor(builder)}-${compression}-${round}:latest`
    return (['gzip', 'zstd'] as const).map(compression => ({
      id: `S6-${compression}`,
      title: `push an image with a new layer of 200 MB, ${compression}`,
      // A changed file gives each push a layer that the registry never saw.
      before: async (builder: Builder, round: number) => {
        if (!takesPart(builder, compression)) return
        const name = tag(builder, compression, round)
        writeFileSync(join(context, 'push'), name)
        await bed.run(builder.build({ dockerfile, context, tag: name, cached: true }))
      },
      command: (builder: Builder, round: number): Command | undefined =>
        takesPart(builder, compression) ? builder.push(tag(builder, compression, round), compression) : undefined,
      note: async () => {
        const sizes: string[] = []
        for (const builder of [bed.slipway, ...bed.peers]) {
          if (!takesPart(builder, compression) || !builder.push('x', compression)) continue
          const size = await largestLayer(registry, `${nameFor(builder)}-${compression}-0`)
          sizes.push(`${builder.name} ${(size / 1e6).toFixed(0)} MB`)
        }
        return `layer: ${sizes.join(', ')}`
      },
      floor: {
        text: `\`${compression}\` of the layer, half of it on each of two cores`,
        commands: [{ program: 'sh', args: ['-c', halves(context, compression === 'gzip' ? 'gzip -6' : 'zstd -3')] }],
      },
    }))
  },
}

function takesPart(builder: Builder, compression: 'gzip' | 'zstd'): boolean {
  return builder.name !== 'podman' && builder.push('x', compression) !== undefined
}

const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.index.v1+json',
]

interface Manifest {
  readonly layers?: readonly { readonly size: number }[]
  readonly manifests?: readonly { readonly digest: string }[]
}

async function largestLayer({ host }: Registry, name: string, reference = 'latest'): Promise<number> {
  const response = await fetch(`http://${host}/v2/${name}/manifests/${reference}`, {
    headers: { accept: manifestTypes.join(', ') },
  })
  const manifest = (await response.json()) as Manifest
  const [inner] = manifest.manifests ?? []
  if (inner) return largestLayer({ host } as Registry, name, inner.digest)
  return Math.max(...(manifest.layers ?? []).map(({ size }) => size))
}

export const fromCache: Scenario = {
  id: 'S10',
  missing: bed => missingRegistry(bed, 'push', 'build --cache-from'),
  cases: async bed => {
    const registry = registryOf(bed)
    const context = halfContext(bed)
    const dockerfile = bed.dockerfile(
      'S10',
      `FROM ${bed.base} AS build\nCOPY . /data/\nRUN cat /data/* | sha256sum > /sum\nFROM scratch\nCOPY --from=build /sum /\nCOPY --from=build /data/part-1 /\n`,
    )
    const cache = `type=registry,ref=${registry.host}/cache:all`
    const store = join(bed.folder, 'cache-store')
    const baseArchive = join(bed.folder, 'base.tar')
    const build = (...more: readonly string[]): Command =>
      bed.slipway.run('build', '--progress', 'quiet', '-t', resultTag, '-f', dockerfile, ...more, context)
    const made = imageId({ stdout: await bed.run(build('--cache-to', `${cache},mode=max`)) } as Run)
    return [
      {
        id: 'S10',
        title: 'empty store, everything from the cache of a registry',
        before: async () => {
          rmSync(store, { recursive: true, force: true })
          const [command] = bed.slipway.importBase(baseArchive, bed.base, bed.folder)
          if (command) await bed.run({ ...command, env: { SLIPWAY_ROOT: store } })
        },
        command: builder =>
          builder === bed.slipway ? { ...build('--cache-from', cache), env: { SLIPWAY_ROOT: store } } : undefined,
        check: run => {
          if (imageId(run) !== made) throw new Error('the cache of the registry gave another image')
        },
      },
    ]
  },
}
