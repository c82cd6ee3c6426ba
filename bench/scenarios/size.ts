import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folderWith, writeMany, writeNoise } from '../inputs.ts'
import { type Bed, type Case, imageId, nodeStart, resultTag, sameImage, type Scenario } from '../scenario.ts'

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

export const largeImage: Scenario = {
  id: 'S12',
  cases: async bed => {
    const context = folderWith(join(bed.folder, 'gigabyte'), folder => {
      writeMany(join(folder, 'many'), 10_000)
      for (let i = 0; i < 10; i++) writeNoise(join(folder, `part-${i}`), 100 << 20, { seed: i })
    })
    const dockerfile = bed.dockerfile(
      'S12',
      `FROM ${bed.base}\nCOPY many /many\n${Array.from({ length: 10 }, (_, i) => `COPY part-${i} /parts/\n`).join('')}`,
    )
    const request = { dockerfile, context, tag: `${resultTag}-large`, cached: true }
    const docker = bed.peers.find(peer => peer.name.startsWith('docker'))
    for (const builder of [bed.slipway, ...(docker ? [docker] : [])]) await bed.run(builder.build(request))
    rmSync(context, { recursive: true, force: true })
    const history: Case = {
      id: 'S12a',
      title: 'history of an image of 1 GB',
      command: builder =>
        builder === bed.slipway || builder === docker ? builder.history(`${resultTag}-large`) : undefined,
      check: run => {
        const lines = run.stdout.match(/COPY part-/g)?.length
        if (lines !== 10) throw new Error(`the history has ${lines ?? 0} of 10 lines:\n${run.stdout}`)
      },
      floor: { text: 'node start', commands: [nodeStart] },
    }
    if (!bed.knows('analyze')) return [history]
    const analyze: Case = {
      id: 'S12b',
      title: 'analyze of the same image',
      command: builder => (builder === bed.slipway ? bed.slipway.run('analyze', `${resultTag}-large`) : undefined),
    }
    return [history, analyze]
  },
}

const largest = 10 * 2 ** 30

export const memory: Scenario = {
  id: 'S13',
  missing: bed =>
    freeBytes(bed.folder) < 2.5 * largest
      ? `needs ${((2.5 * largest) / 2 ** 30).toFixed(0)} GiB of free disk for a file of 10 GiB and its layer`
      : undefined,
  cases: bed => {
    const dockerfile = bed.dockerfile('S13', 'FROM scratch\nCOPY noise /noise\n')
    const root = join(bed.folder, 'memory-store')
    return [1, 10].map((gibibytes): Case => {
      const context = join(bed.folder, 'memory')
      return {
        id: `S13-${gibibytes}`,
        title: `memory: COPY of a file of ${gibibytes} GiB`,
        mostRounds: 1,
        memoryCounts: true,
        before: () => {
          rmSync(root, { recursive: true, force: true })
          rmSync(context, { recursive: true, force: true })
          mkdirSync(context)
          writeNoise(join(context, 'noise'), gibibytes * 2 ** 30)
        },
        command: builder => {
          if (builder !== bed.slipway) return undefined
          const command = builder.build({ dockerfile, context, tag: resultTag, cached: false })
          return { ...command, env: { ...command.env, SLIPWAY_ROOT: root } }
        },
        check: run => {
          imageId(run)
          rmSync(root, { recursive: true, force: true })
          rmSync(context, { recursive: true, force: true })
        },
      }
    })
  },
}

export const growth: Scenario = {
  id: 'S14',
  cases: bed => [...[1_000, 10_000, 100_000, 1_000_000].flatMap(count => filesCase(bed, count)), ...steps(bed)],
}

/** ext4 gives a file of some bytes a block and an inode. */
const bytesPerFile = 4096 + 256

function filesCase(bed: Bed, count: number): Case[] {
  if (freeBytes(bed.folder) < 2 * count * bytesPerFile || statfsSync(bed.folder).ffree < 2 * count) return []
  const context = join(bed.folder, `growth-${count}`)
  const root = join(bed.folder, 'growth-store')
  const dockerfile = bed.dockerfile('S14', 'FROM scratch\nCOPY . /files\n')
  const same = sameImage()
  return [
    {
      id: `S14-files-${count}`,
      title: `COPY of ${count.toLocaleString('en')} files, empty store`,
      mostRounds: count > 100_000 ? 1 : count > 10_000 ? 3 : 5,
      memoryCounts: true,
      before: () => {
        rmSync(root, { recursive: true, force: true })
        folderWith(context, folder => writeMany(folder, count))
      },
      command: builder => {
        if (builder !== bed.slipway) return undefined
        const command = builder.build({ dockerfile, context, tag: resultTag, cached: true })
        return { ...command, env: { ...command.env, SLIPWAY_ROOT: root } }
      },
      check: same,
      floor: {
        text: 'GNU tar of the same tree',
        commands: [{ program: 'tar', args: ['-cf', join(bed.folder, 'floor.tar'), '-C', context, '.'] }],
      },
    },
  ]
}

function steps(bed: Bed): Case[] {
  const context = folderWith(join(bed.folder, 'steps'), folder => writeFileSync(join(folder, 'file'), 'content\n'))
  const cases = [10, 100, 1000].map((count): Case => {
    const lines = Array.from({ length: count }, (_, i) => `COPY file /files/${i}\n`).join('')
    const dockerfile = bed.dockerfile(`S14-copy-${count}`, `FROM scratch\n${lines}`)
    return {
      id: `S14-copy-${count}`,
      title: `${count.toLocaleString('en')} COPY steps, no cache`,
      command: builder =>
        builder === bed.slipway ? builder.build({ dockerfile, context, tag: resultTag, cached: false }) : undefined,
      check: sameImage(),
    }
  })
  const runs = [10, 100].map((count): Case => {
    const lines = Array.from({ length: count }, (_, i) => `RUN echo ${i} > /file-${i}\n`).join('')
    const dockerfile = bed.dockerfile(`S14-run-${count}`, `FROM ${bed.base}\n${lines}`)
    return {
      id: `S14-run-${count}`,
      title: `${count} RUN steps, no cache`,
      mostRounds: 3,
      command: builder =>
        builder === bed.slipway ? builder.build({ dockerfile, context, tag: resultTag, cached: false }) : undefined,
      check: run => void imageId(run),
    }
  })
  return [...cases, ...runs]
}
