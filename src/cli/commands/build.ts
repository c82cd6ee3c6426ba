import { Option } from 'commander'
import type { ResourceLimit } from '#linux'
import type { Platform, Reference } from '#oci'
import type { Entitlement } from '#plan'
import { addExamples, type Declare } from '../command-entry.ts'
import { type ExtraHost, parseAddHost } from '../options/add-host.ts'
import { type AnnotationOption, parseAnnotation } from '../options/annotation.ts'
import { type CacheFromOption, type CacheToOption, parseCacheFrom, parseCacheTo } from '../options/cache.ts'
import { type CallOption, parseCall } from '../options/call.ts'
import { choice } from '../options/choice.ts'
import { collect } from '../options/collect.ts'
import { addDockerOptions } from '../options/docker-options.ts'
import { parseEntitlement } from '../options/entitlement.ts'
import { parseMemory } from '../options/memory.ts'
import { checkNameValue, parseBuildContext, parseLabel, type NameValue } from '../options/name-value.ts'
import { type OutputOption, parseOutput } from '../options/output.ts'
import { collectPlatforms } from '../options/platforms.ts'
import { type ProgressMode, progressOption } from '../options/progress-option.ts'
import { addRegistryOptions, type RegistryFlags } from '../options/registry-options.ts'
import type { SecretsMode } from '../scan/check-secrets.ts'
import { parseSecret, type SecretOption } from '../options/secret.ts'
import { parseSsh, type SshOption } from '../options/ssh.ts'
import { parseTag } from '../options/tag.ts'
import { parseUlimit } from '../options/ulimit.ts'

export interface BuildFlags extends RegistryFlags {
  readonly tag?: readonly Reference[]
  /** As given; `-` is standard input. */
  readonly file?: string
  readonly target?: string
  /** As given: NAME or NAME=VALUE. */
  readonly buildArg?: readonly string[]
  readonly buildContext?: readonly NameValue[]
  readonly label?: readonly NameValue[]
  readonly secret?: readonly SecretOption[]
  readonly ssh?: readonly SshOption[]
  readonly platform?: readonly Platform[]
  readonly annotation?: readonly AnnotationOption[]
  readonly addHost?: readonly ExtraHost[]
  readonly network?: 'default' | 'none' | 'host'
  readonly allow?: readonly Entitlement[]
  /** Bytes. */
  readonly shmSize?: number
  readonly ulimit?: readonly ResourceLimit[]
  /** False with `--no-cache`. */
  readonly cache: boolean
  /** Names of stages. */
  readonly noCacheFilter?: readonly string[]
  readonly pull?: boolean
  readonly cacheFrom?: readonly CacheFromOption[]
  readonly cacheTo?: readonly CacheToOption[]
  readonly output?: readonly OutputOption[]
  /** Adds an output to registries, under the names of `--tag`. */
  readonly push?: boolean
  readonly iidfile?: string
  readonly metadataFile?: string
  /** A path as given. */
  readonly trace?: string
  readonly verify?: boolean
  readonly printPlan?: boolean
  readonly call?: CallOption
  readonly check?: boolean
  readonly explain?: boolean
  readonly secrets: SecretsMode
  readonly progress: ProgressMode
  readonly quiet?: boolean
}

/** Its name begins with "no", but it is not the opposite of another option. */
function noCacheFilter(): Option {
  const option = new Option('--no-cache-filter <stages>', 'make every step of these stages anew (a,b; repeatable)')
  option.negate = false
  return option.argParser((text, previous: readonly string[] | undefined) => [
    ...(previous ?? []),
    ...text.split(',').map(name => name.trim()),
  ])
}

function withPush({ push, output = [], ...flags }: BuildFlags): BuildFlags {
  const outputs = push ? [...output, parseOutput('type=registry')] : output
  return { ...flags, ...(outputs.length > 0 && { output: outputs }) }
}

/** Options of `slipway build`. */
export const build: Declare = (command, act) => {
  command
    .argument('<path>', 'the build context: a directory, the address of an archive or git repository, or "-"')
    .option(
      '-t, --tag <name>',
      'name the image NAME[:TAG] in the local store (repeatable)',
      collect(text => parseTag(text, '--tag')),
    )
    .option('-f, --file <path>', 'the Dockerfile, "-" for standard input (default: PATH/Dockerfile)')
    .option('--target <stage>', 'build this stage instead of the last one')
    .option(
      '--build-arg <name=value>',
      'set an ARG; NAME alone takes the environment (repeatable)',
      collect(checkNameValue('--build-arg')),
    )
    .option(
      '--build-context <name=path>',
      'one more context for FROM and --from: a directory, an address, docker-image://, oci-layout:// (repeatable)',
      collect(parseBuildContext),
    )
    .option('--label <name=value>', 'add a label to the image (repeatable)', collect(parseLabel))
    .option(
      '--secret <spec>',
      'a secret for RUN --mount=type=secret: id=ID[,src=FILE|,env=NAME] (repeatable)',
      collect(parseSecret),
    )
    .option(
      '--ssh <spec>',
      'an ssh agent for RUN --mount=type=ssh and git: default, or ID=SOCKET, or ID=KEY (repeatable)',
      collect(parseSsh),
    )
    .option(
      '--platform <os/arch>',
      'build for this platform, or for several (default: that of this machine; repeatable)',
      collectPlatforms,
    )
    .option(
      '--annotation <key=value>',
      'annotate the manifest of type=oci, or LEVEL:KEY=VALUE: index, manifest-descriptor … (repeatable)',
      collect(parseAnnotation),
    )
    .option('--add-host <name:address>', 'a host name that RUN knows (repeatable)', collect(parseAddHost))
    .option(
      '--network <mode>',
      'network of every RUN that names none: default, none or host',
      choice('--network', ['default', 'none', 'host']),
    )
    .option(
      '--allow <entitlement>',
      'let RUN ask for it: network.host or security.insecure (repeatable)',
      collect(parseEntitlement),
    )
    .option('--shm-size <size>', 'size of /dev/shm in RUN, such as 256m (default: 64m)', text =>
      parseMemory(text, '--shm-size'),
    )
    .option('--ulimit <name=soft:hard>', 'a resource limit of RUN (repeatable)', collect(parseUlimit))
    .option('--pull', 'ask the registry for every image, also for those in the local store')
    .option(
      '--cache-from <spec>',
      'begin with the cache of another build: NAME, type=registry,ref=NAME or type=local,src=DIR (repeatable)',
      collect(parseCacheFrom),
    )
    .option(
      '--cache-to <spec>',
      'write the cache: type=registry,ref=NAME[,mode=max], type=local,dest=DIR or type=inline (repeatable)',
      collect(parseCacheTo),
    )
    .option('--no-cache', 'make every step anew')
    .addOption(noCacheFilter())
    .option(
      '-o, --output <spec>',
      'write the result: type=oci|docker|tar|local,dest=PATH, type=registry,name=NAME, a directory, or "-" (repeatable)',
      collect(parseOutput),
    )
    .option('--push', 'push the image under the names of --tag: the same as --output type=registry')
    .option('--iidfile <file>', 'write the image id to a file')
    .option('--metadata-file <file>', 'write digests and steps to a file, as JSON')
    .option(
      '--secrets <mode>',
      'secrets in the image: warn (quick), error (look at everything, and write nothing), or off',
      choice('--secrets', ['warn', 'error', 'off']),
      'warn' as const,
    )
    .option('--verify', 'build twice without cache, and fail where the results differ')
    .option('--print-plan', 'print the plan as JSON, with what the cache has of it, and build nothing')
    .option('--trace <file>', 'write where the time went, for chrome://tracing or ui.perfetto.dev')
    .option('--explain', 'say of every step that is made anew which input differs from the last build')
    .option('--check', 'look for mistakes in the Dockerfile and build nothing (--call check)')
    .option('--call <method>', 'build nothing and tell: check, outline or targets[,format=json]', parseCall)
    .addOption(progressOption())
    .option('-q, --quiet', 'print only the image id')
    .option('--load', 'put the image into the local store; this is what happens anyway')
    .action(
      act(async (context, path: string, flags: BuildFlags) => {
        const { buildCommand } = await import('../actions/build-command.ts')
        return buildCommand(path, withPush(flags), context)
      }),
    )
  addRegistryOptions(command)
  addDockerOptions(command)
  addExamples(command, [
    { command: 'slipway build -t app .', does: 'build ./Dockerfile and name the image "app"' },
    { command: 'slipway build --target test --build-arg VERSION=2 .', does: 'build one stage, with an argument' },
    { command: 'slipway build -o type=docker,dest=app.tar -t app .', does: 'write an archive for "docker load"' },
    { command: 'slipway build -o out .', does: 'write the files of the image into the directory "out"' },
  ])
}
