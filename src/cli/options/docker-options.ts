import { type Command, Option } from 'commander'
import { usageError } from '../usage-error.ts'
import { csvFields } from './csv.ts'

/** An option of `docker build` or `docker buildx build` that has nothing to decide here. */
interface DockerOption {
  /** As commander takes it. `[bool]`: a flag that may also come as `--rm=false`. */
  readonly flags: string
  /** Whether this is what happens here anyway; never, where it is absent. */
  readonly holds?: (value: string) => boolean
  /** What cannot be had. */
  readonly refusal: string
  readonly hint: string
}

/** The words of Go's strconv.ParseBool; a flag without a value is true. */
const isTrue = (value: string): boolean => /^(|1|t|true)$/i.test(value)
const isFalse = (value: string): boolean => /^(0|f|false)$/i.test(value)

const neither = { refusal: 'it is true or false', hint: 'leave the option out' }
const limits = {
  refusal: 'limits of RUN by control groups are not supported',
  hint: 'limit the whole build: systemd-run --scope -p MemoryMax=2G -p CPUQuota=150% slipway build …',
}
const processors = {
  refusal: 'RUN cannot be bound to processors',
  hint: 'bind the whole build: taskset --cpu-list 0,1 slipway build …',
}
const attestations = {
  refusal: 'no attestations are written',
  hint: 'leave the option out, or switch them off: --provenance=false --sbom=false',
}

const dockerOptions: readonly DockerOption[] = [
  {
    flags: '--rm [bool]',
    holds: isTrue,
    refusal: 'there are no intermediate containers to keep',
    hint: 'build an earlier stage with --target to look into it',
  },
  // No container is left over, and no context is sent to a daemon: both values ask for nothing.
  { flags: '--force-rm [bool]', holds: isBool, ...neither },
  { flags: '--compress [bool]', holds: isBool, ...neither },
  {
    flags: '--squash [bool]',
    holds: isFalse,
    refusal: 'layers are not squashed',
    hint: 'copy everything into a last stage: FROM scratch, then COPY --from=STAGE / /',
  },
  {
    flags: '--disable-content-trust [bool]',
    holds: isTrue,
    refusal: 'signatures of images are not checked',
    hint: 'name base images by their digest: FROM name@sha256:…',
  },
  {
    flags: '--isolation <kind>',
    holds: value => value === '' || value === 'default',
    refusal: 'other kinds of isolation are for Windows',
    hint: 'leave the option out',
  },
  { flags: '--provenance <value>', holds: isFalse, ...attestations },
  { flags: '--sbom <value>', holds: isFalse, ...attestations },
  { flags: '--attest <spec>', holds: isDisabledAttestation, ...attestations },
  {
    flags: '--builder <name>',
    holds: value => value === 'default',
    refusal: 'there are no builders to choose from: slipway builds by itself',
    hint: 'leave the option out',
  },
  { flags: '-m, --memory <size>', ...limits },
  { flags: '--memory-swap <size>', ...limits },
  { flags: '-c, --cpu-shares <number>', ...limits },
  { flags: '--cpu-period <microseconds>', ...limits },
  { flags: '--cpu-quota <microseconds>', ...limits },
  { flags: '--cgroup-parent <group>', ...limits },
  { flags: '--resource <limit>', ...limits },
  { flags: '--cpuset-cpus <list>', ...processors },
  { flags: '--cpuset-mems <list>', ...processors },
  {
    flags: '--security-opt <option>',
    refusal: 'security options of a daemon do not apply',
    hint: 'let single commands have every capability: RUN --security=insecure, and --allow security.insecure',
  },
  {
    flags: '--policy <spec>',
    refusal: 'source policies are not supported',
    hint: 'name base images by their digest, and give ADD a --checksum',
  },
  {
    flags: '-D, --debug [bool]',
    holds: isFalse,
    refusal: 'there is no debug log',
    hint: 'see all output with --progress plain, and why steps are made anew with --explain',
  },
  {
    flags: '--print <what>',
    refusal: 'it has another name now',
    hint: 'use --call outline or --call targets',
  },
]

function isBool(value: string): boolean {
  return isTrue(value) || isFalse(value)
}

/** `type=provenance,disabled=true`. */
function isDisabledAttestation(value: string): boolean {
  const disabled = csvFields(value, '--attest').find(field => field.startsWith('disabled='))
  return disabled !== undefined && isTrue(disabled.slice('disabled='.length))
}

/**
 * Options that scripts for other builders contain. One that says what happens here anyway is taken; any other is refused
 * with what to do instead, so that none is accepted and ignored. They are not in `--help`.
 */
export function addDockerOptions(command: Command): void {
  for (const { flags, holds, refusal, hint } of dockerOptions) {
    const option = new Option(flags).hideHelp()
    const long = option.long ?? flags
    command.addOption(
      option.argParser(value => {
        if (holds?.(value)) return value
        if (flags.endsWith('[bool]') && !isBool(value))
          throw usageError(`invalid value ${JSON.stringify(value)} for ${long}`, `write ${long}=true or ${long}=false`)
        throw usageError(`${long}${value === '' ? '' : ` ${value}`}: ${refusal}`, hint)
      }),
    )
  }
}
