import { appendFileSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Builder, quote } from '../builders.ts'
import { folderWith, writeNoise, writeSourceTree } from '../inputs.ts'
import type { Command } from '../measure.ts'
import { type Bed, newImage, nodeStart, resultTag, sameImage, type Scenario } from '../scenario.ts'

/** A context with one small program. */
function programContext(bed: Bed): string {
  return folderWith(join(bed.folder, 'program'), folder => {
    writeFileSync(join(folder, 'program'), Buffer.alloc(1 << 20, 'x'))
  })
}

function sourceContext(bed: Bed): string {
  return folderWith(join(bed.folder, 'sources'), folder => writeSourceTree(folder, 20_000))
}

export const cachedBuild: Scenario = {
  id: 'S1',
  cases: bed => {
    const context = programContext(bed)
    const dockerfile = bed.dockerfile(
      'S1',
      `FROM ${bed.base} AS build\nCOPY program /out/program\nRUN cp /out/program /out/copy\nFROM scratch\nCOPY --from=build /out /\n`,
    )
    const request = { dockerfile, context, tag: resultTag, cached: true }
    const same = sameImage()
    return [
      {
        id: 'S1',
        title: 'two stages, fully cached',
        command: builder => builder.build(request),
        check: async (run, round) => {
          same(run)
          if (round === 0) return
          const told = await bed.run(bed.slipway.run('build', '--progress', 'plain', '-f', dockerfile, context))
          const cached = told.match(/CACHED/g)?.length ?? 0
          if (cached < 3) throw new Error(`only ${cached} of 3 steps are cached:\n${told}`)
        },
        floor: { text: 'node start', commands: [nodeStart] },
      },
    ]
  },
}

export const tenRuns: Scenario = {
  id: 'S2',
  cases: bed => {
    const context = programContext(bed)
    const lines = Array.from({ length: 10 }, (_, i) => `RUN echo ${i}\n`).join('')
    const dockerfile = bed.dockerfile('S2', `FROM ${bed.base}\n${lines}`)
    const without = bed.dockerfile('S2-without', `FROM ${bed.base}\n`)
    const request = { context, tag: resultTag, cached: false }
    const unshare: Command = { program: 'unshare', args: ['--mount', '--pid', '--ipc', '--uts', '--fork', 'true'] }
    return [
      {
        id: 'S2',
        title: 'ten trivial RUN steps, no cache',
        command: builder => builder.build({ ...request, dockerfile }),
        check: newImage(),
        floor: {
          text: 'node start and ten times `unshare` of a trivial command',
          commands: [nodeStart, ...Array.from({ length: 10 }, () => unshare)],
        },
      },
      {
        id: 'S2-without',
        title: 'the same without RUN',
        command: builder => builder.build({ ...request, dockerfile: without }),
        check: sameImage(),
        floor: { text: 'node start', commands: [nodeStart] },
      },
    ]
  },
}

export const manyFiles: Scenario = {
  id: 'S3',
  cases: bed => {
    const context = sourceContext(bed)
    const dockerfile = bed.dockerfile('S3', 'FROM scratch\nCOPY . /files\n')
    const request = { dockerfile, context, tag: resultTag }
    const tar: Command = { program: 'tar', args: ['-cf', join(bed.folder, 'floor.tar'), '-C', context, '.'] }
    const find: Command = { program: 'find', args: [context, '-printf', '%s %T@ %i\\n'] }
    let changes = 0
    return [
      {
        id: 'S3a',
        title: 'COPY of 20,000 files, no cache',
        command: builder => builder.build({ ...request, cached: false }),
        check: sameImage(),
        floor: { text: 'GNU tar of the same tree', commands: [tar] },
      },
      {
        id: 'S3b',
        title: 'the same, nothing changed',
        command: builder => builder.build({ ...request, cached: true }),
        check: sameImage(),
        floor: { text: 'node start and `find -printf` of the same tree', commands: [nodeStart, find] },
      },
      {
        id: 'S3c',
        title: 'the same, one file changed',
        command: builder => builder.build({ ...request, cached: true }),
        // Each builder sees a change of its own.
        before: () => appendFileSync(join(context, 'd1/f1'), String(changes++)),
        check: newImage(),
        floor: { text: 'GNU tar of the same tree', commands: [tar] },
      },
    ]
  },
}

export const largeFile: Scenario = {
  id: 'S4',
  cases: bed => {
    const context = folderWith(join(bed.folder, 'large'), folder => writeNoise(join(folder, 'noise'), 2 ** 30))
    const dockerfile = bed.dockerfile('S4', 'FROM scratch\nCOPY noise /noise\n')
    const file = join(context, 'noise')
    const copy = join(bed.folder, 'floor-copy')
    return [
      {
        id: 'S4',
        title: 'COPY of an incompressible file of 1 GiB, no cache',
        command: builder =>
          builder.name === 'podman' ? undefined : builder.build({ dockerfile, context, tag: resultTag, cached: false }),
        check: sameImage(),
        floor: {
          text: '`cp` of the file beside `sha256sum` of it',
          commands: [
            {
              program: 'sh',
              args: ['-c', `cp ${quote(file)} ${quote(copy)} & sha256sum ${quote(file)} >/dev/null; wait`],
            },
          ],
        },
      },
    ]
  },
}

export const parallelStages: Scenario = {
  id: 'S7',
  cases: bed => {
    const context = programContext(bed)
    const work = 'i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done'
    const stage = (name: string): string => `FROM ${bed.base} AS ${name}\nRUN ${work}; echo ${name} > /${name}\n`
    const dockerfile = bed.dockerfile(
      'S7',
      `${stage('one')}${stage('two')}FROM scratch\nCOPY --from=one /one /\nCOPY --from=two /two /\n`,
    )
    const request = { dockerfile, context, tag: resultTag, cached: false }
    const shell = `(${work}) & (${work}); wait`
    return [
      {
        id: 'S7',
        title: 'two independent stages of equal work, no cache',
        command: builder => {
          const command = builder.build(request)
          // buildah and podman build one stage after the other unless they are told.
          return builder.name === 'buildah' || builder.name === 'podman'
            ? { ...command, args: command.args.flatMap(word => (word === 'build' ? [word, '--jobs', '2'] : [word])) }
            : command
        },
        check: newImage(),
        floor: {
          text: 'the two commands side by side in busybox',
          commands: [{ program: join(bed.folder, 'busybox'), args: ['sh', '-c', shell] }],
        },
      },
    ]
  },
}

export const oneBinary: Scenario = {
  id: 'S8',
  cases: bed => {
    const context = programContext(bed)
    const dockerfile = bed.dockerfile('S8', 'FROM scratch\nCOPY program /program\n')
    return [
      {
        id: 'S8',
        title: 'FROM scratch and one binary, no cache',
        command: builder => builder.build({ dockerfile, context, tag: resultTag, cached: false }),
        check: sameImage(),
        floor: { text: 'node start', commands: [nodeStart] },
      },
    ]
  },
}

/** 200 MB that compress to half, for layers that leave the machine. */
export function halfContext(bed: Bed): string {
  return folderWith(join(bed.folder, 'half'), folder => {
    for (let i = 0; i < 20; i++) writeNoise(join(folder, `part-${i}`), 10 << 20, { seed: i, half: true })
  })
}

export const archive: Scenario = {
  id: 'S9',
  cases: bed => {
    const context = halfContext(bed)
    const dockerfile = bed.dockerfile('S9', 'FROM scratch\nCOPY . /data\n')
    const request = { dockerfile, context, tag: resultTag, cached: false }
    const path = (builder: Builder): string => join(bed.folder, `archive-${builder.name.replace(/\W+/g, '-')}.tar`)
    return [
      {
        id: 'S9',
        title: 'build and write an OCI archive with a layer of 200 MB (gzip), no cache',
        command: builder => (builder.name === 'podman' ? undefined : builder.buildArchive(request, path(builder))),
        before: builder => rmSync(path(builder), { force: true }),
        check: sameImage(),
        note: () => `archive ${(statSync(path(bed.slipway)).size / 1e6).toFixed(0)} MB`,
        floor: {
          text: '`gzip -6` of the layer, half of it on each of two cores',
          commands: [{ program: 'sh', args: ['-c', halves(context, 'gzip -6')] }],
        },
      },
    ]
  },
}

/** Compresses the files of the folder with one process per core of two. */
export function halves(context: string, compressor: string): string {
  const part = (digits: string): string => `cat ${quote(context)}/part-*[${digits}] | ${compressor} | wc -c`
  return `(${part('02468')}) & ${part('13579')}; wait`
}

export const eightAtOnce: Scenario = {
  id: 'S11',
  cases: bed => {
    const context = programContext(bed)
    const dockerfile = bed.dockerfile(
      'S11',
      `FROM ${bed.base}\nARG NUMBER\nCOPY program /program\nRUN echo $NUMBER > /number\nRUN cat /number\n`,
    )
    mkdirSync(join(bed.folder, 'eight'), { recursive: true })
    const commands = (builder: Builder): Command => {
      const builds = Array.from({ length: 8 }, (_, i) => {
        const buildArgs = { NUMBER: String(i) }
        return builder.build({ dockerfile, context, tag: `${resultTag}-${i}`, cached: false, buildArgs })
      })
      const lines = builds.map(({ program, args }) => `${[program, ...args].map(quote).join(' ')} & all="$all $!"`)
      const script = `all=; ${lines.join('; ')}; for each in $all; do wait $each || exit 1; done`
      return { program: 'sh', args: ['-c', script], ...(builds[0]?.env && { env: builds[0].env }) }
    }
    return [
      {
        id: 'S11',
        title: 'eight builds at once on one store',
        command: builder => (builder.name === 'podman' ? undefined : commands(builder)),
        check: run => {
          const ids = new Set(run.stdout.match(/sha256:[0-9a-f]{64}/g))
          if (ids.size !== 8) throw new Error(`eight builds gave ${ids.size} images:\n${run.stdout}`)
        },
      },
    ]
  },
}
