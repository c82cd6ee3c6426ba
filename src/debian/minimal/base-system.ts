import type { RootFiles } from '../root-files.ts'
import { publicDirectory, publicFile } from '../root-files.ts'

const owner = { package: 'base-files' } as const
const directory = { ...publicDirectory, ...owner }

/** Directories that a new system has though no package brings them: where things are mounted or kept. */
const directories = [
  'dev',
  'etc/opt',
  'media',
  'mnt',
  'opt',
  'proc',
  'run',
  'srv',
  'sys',
  'usr/local/bin',
  'usr/local/etc',
  'usr/local/include',
  'usr/local/lib',
  'usr/local/sbin',
  'usr/local/share',
  'usr/local/src',
  'var/opt',
]

/** Does what the scripts of base-files and base-passwd do on a new system. */
export function setUpBaseSystem(files: RootFiles): void {
  for (const path of directories) if (files.found(path) === 'nothing') files.makeDirectory(path, directory)
  files.makeDirectory('run/lock', { ...directory, mode: 0o1777 })
  files.makeDirectory('var/mail', { ...directory, mode: 0o2775, gid: 8 })
  files.makeDirectory('tmp', { ...directory, mode: 0o1777 })
  files.makeDirectory('var/tmp', { ...directory, mode: 0o1777 })
  files.makeDirectory('root', { ...directory, mode: 0o700 })
  replaceByLink(files, 'var/run', '/run')
  replaceByLink(files, 'var/lock', '/run/lock')
  writeNameSwitch(files)
  for (const name of ['passwd', 'group']) {
    const master = files.read(`usr/share/base-passwd/${name}.master`)
    if (master) files.write(`etc/${name}`, master, { ...publicFile, package: 'base-passwd' })
  }
  // What the two packages bring for their scripts only.
  for (const path of ['usr/share/base-files', 'usr/share/base-passwd', 'usr/sbin/update-passwd']) {
    if (files.found(path) !== 'nothing') files.remove(path)
  }
}

function replaceByLink(files: RootFiles, path: string, target: string): void {
  if (files.found(path) === 'directory' && files.list(path).length > 0) return
  if (files.found(path) === 'directory') files.remove(path)
  files.link(path, target, owner)
}

/** Where a C library looks names up (nsswitch.conf(5)); by itself it would ask the network before /etc/hosts. */
const nameSwitch = `passwd:         files
group:          files
shadow:         files
gshadow:        files

hosts:          files dns
networks:       files

protocols:      db files
services:       db files
ethers:         db files
rpc:            db files
`

function writeNameSwitch(files: RootFiles): void {
  if (files.found('etc/nsswitch.conf') !== 'nothing') return
  const packaged = ['usr/share/libc-bin/nsswitch.conf', 'usr/share/base-files/nsswitch.conf']
  const bytes = packaged.map(path => files.read(path)).find(found => found !== undefined)
  files.write('etc/nsswitch.conf', bytes ?? Buffer.from(nameSwitch), { ...publicFile, ...owner })
}

/** Links that scripts make where a package that wants them is in. */
const early = [
  { link: 'usr/bin/sh', targets: ['dash', 'bash'] },
  { link: 'usr/bin/awk', targets: ['mawk', 'original-awk', 'gawk'] },
] as const

/** A shell and an awk under their usual names, where somebody listed one. */
export function makeUsualLinks(files: RootFiles): void {
  for (const { link, targets } of early) {
    if (files.found(link) !== 'nothing') continue
    const target = targets.find(name => files.found(`usr/bin/${name}`) !== 'nothing')
    if (target !== undefined) files.link(link, target, { package: target })
  }
}
