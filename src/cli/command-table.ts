import type { CommandEntry } from './command-entry.ts'

/** All commands in the order of `slipway --help`. Only the one that is called gets loaded. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'build',
    summary: 'build an image from a Dockerfile',
    load: async () => (await import('./commands/build.ts')).build,
  },
  {
    name: 'pull',
    summary: 'bring images from registries into the local store',
    load: async () => (await import('./commands/pull.ts')).pull,
  },
  {
    name: 'images',
    summary: 'list the images of the local store',
    load: async () => (await import('./commands/images.ts')).images,
  },
  {
    name: 'history',
    summary: 'show the layers of an image and what made them',
    load: async () => (await import('./commands/history.ts')).history,
  },
  {
    name: 'inspect',
    summary: 'show everything known about an image, as JSON',
    load: async () => (await import('./commands/inspect.ts')).inspect,
  },
  {
    name: 'analyze',
    summary: 'show where every byte of an image came from, what is wasted, and the fix',
    load: async () => (await import('./commands/analyze.ts')).analyze,
  },
  {
    name: 'diff',
    summary: 'compare two images: settings, history, files, packages',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  {
    name: 'needs',
    summary: 'list what programs of an image need, and the COPY lines for it',
    load: async () => (await import('./commands/needs.ts')).needs,
  },
  {
    name: 'budget',
    summary: 'hold an image to limits, or to an earlier one',
    load: async () => (await import('./commands/budget.ts')).budget,
  },
  {
    name: 'ls',
    summary: 'list files of an image',
    load: async () => (await import('./commands/ls.ts')).ls,
  },
  {
    name: 'run',
    summary: 'run a command in an image',
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    name: 'export',
    summary: 'write the root file system of an image as a tar archive',
    load: async () => (await import('./commands/export.ts')).exportImage,
  },
  {
    name: 'save',
    summary: 'write images to an archive for docker or OCI tools',
    load: async () => (await import('./commands/save.ts')).save,
  },
  {
    name: 'load',
    summary: 'take images from an archive into the local store',
    load: async () => (await import('./commands/load.ts')).load,
  },
  {
    name: 'push',
    summary: 'send images of the local store to a registry',
    load: async () => (await import('./commands/push.ts')).push,
  },
  {
    name: 'copy',
    summary: 'copy images between registries, layouts, archives and the local store',
    load: async () => (await import('./commands/copy.ts')).copy,
  },
  {
    name: 'tags',
    summary: 'list the tags of a repository in a registry',
    load: async () => (await import('./commands/tags.ts')).tags,
  },
  {
    name: 'login',
    summary: 'log in to a registry',
    load: async () => (await import('./commands/login.ts')).login,
  },
  {
    name: 'logout',
    summary: 'log out of a registry',
    load: async () => (await import('./commands/logout.ts')).logout,
  },
  {
    name: 'import',
    summary: 'make an image from a tar archive of a root file system',
    load: async () => (await import('./commands/import.ts')).importImage,
  },
  {
    name: 'lint',
    summary: 'look for mistakes in Dockerfiles',
    load: async () => (await import('./commands/lint.ts')).lint,
  },
  {
    name: 'fix',
    summary: 'rewrite a Dockerfile so that its image gets smaller, and prove it',
    load: async () => (await import('./commands/fix.ts')).fix,
  },
  {
    name: 'scan',
    summary: 'look for secrets in an image or a directory',
    load: async () => (await import('./commands/scan.ts')).scan,
  },
  {
    name: 'tag',
    summary: 'give an image one more name',
    load: async () => (await import('./commands/tag.ts')).tag,
  },
  {
    name: 'rmi',
    summary: 'remove names and images',
    load: async () => (await import('./commands/rmi.ts')).rmi,
  },
  {
    name: 'prune',
    summary: 'remove what no image uses',
    load: async () => (await import('./commands/prune.ts')).prune,
  },
  {
    name: 'df',
    summary: 'show what the local store takes on the disk',
    load: async () => (await import('./commands/df.ts')).df,
  },
  {
    name: 'base',
    summary: 'make base images from Debian packages',
    load: async () => (await import('./commands/base.ts')).base,
  },
  {
    name: 'doctor',
    summary: 'say what works on this machine and what is missing',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
]
