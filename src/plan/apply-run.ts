import { UserError } from '#diagnostics'
import type { Heredoc, RunInstruction } from '#dockerfile'
import type { RunStep } from './build-plan.ts'
import { describeStep } from './describe-step.ts'
import type { PlacedInstruction } from './discover.ts'
import { planMount } from './plan-mount.ts'
import { unkeyedEnvironment } from './proxy-arguments.ts'
import { mask, shownValue } from './secret-values.ts'
import { placeIn, recordStep, shellOf, type StageState } from './stage-state.ts'
import { cleanDirectory } from './working-directory.ts'

/** RUN → a step, with everything that its process sees. */
export function applyRun(state: StageState, placed: PlacedInstruction, instruction: RunInstruction): void {
  refuseUnknown(state, placed, instruction)
  const { argv, script } = commandOf(state, instruction)
  const mounts = planMounts(state, placed, instruction)
  const network = instruction.network?.text as RunStep['network'] | undefined
  const security = instruction.security?.text as RunStep['security'] | undefined
  refuseNotAllowed(state, placed, instruction)
  const step: RunStep = {
    kind: 'run',
    argv,
    ...(script && { script }),
    env: [...state.scope].map(([name, value]) => `${name}=${value}`),
    unkeyedEnv: unkeyedEnvironment(state.buildArgs, state.scope),
    workdir: cleanDirectory(state.config.workingDir),
    user: state.config.user,
    network: network === undefined || network === 'default' ? state.runs.network : network,
    security: security ?? 'sandbox',
    ...hostnameOf(state.buildArgs),
    mounts,
    ...describeStep(placed),
  }
  recordStep(state, step, `RUN ${[...shownArguments(state, mounts), ...argv].join(' ')} # buildkit`)
}

function refuseUnknown(state: StageState, placed: PlacedInstruction, { devices, keyword }: RunInstruction): void {
  if (state.platform.os !== 'linux') {
    throw new UserError(`RUN cannot be executed for ${state.platform.os}`, {
      hint: 'only COPY, ADD and metadata work for images of other systems; build with --platform=linux/…',
      at: placeIn(placed, keyword.span),
    })
  }
  const [device] = devices
  if (!device) return
  throw new UserError('RUN --device is not supported', {
    hint: 'commands here run without devices; remove the flag',
    at: placeIn(placed, device.span),
  })
}

/** The build argument that names the machine of every RUN (section 8.9 of the language page), as hostname(7) allows. */
function hostnameOf(buildArgs: StageState['buildArgs']): Pick<RunStep, 'hostname'> {
  const hostname = buildArgs.get('BUILDKIT_SANDBOX_HOSTNAME') ?? ''
  if (hostname === '') return {}
  if (hostname.length <= 64 && /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(hostname)) return { hostname }
  throw new UserError(`BUILDKIT_SANDBOX_HOSTNAME is ${JSON.stringify(hostname)}, which is no host name`, {
    hint: 'use letters, digits, dots and hyphens, at most 64',
  })
}

/** Section 11.8 of the language page. */
function refuseNotAllowed(state: StageState, placed: PlacedInstruction, { network, security }: RunInstruction): void {
  const asked = [
    { word: network, value: 'host', flag: '--network=host', entitlement: 'network.host' },
    { word: security, value: 'insecure', flag: '--security=insecure', entitlement: 'security.insecure' },
  ] as const
  for (const { word, value, flag, entitlement } of asked) {
    if (word?.text !== value || state.runs.allow.has(entitlement)) continue
    throw new UserError(`RUN ${flag} is not allowed`, {
      hint: `if you trust this Dockerfile, build with --allow ${entitlement}`,
      at: placeIn(placed, word.span),
    })
  }
}

/** What is executed: see section 5.7 and 5.8 of the language page for heredocs. */
function commandOf(state: StageState, { command, heredocs }: RunInstruction): Pick<RunStep, 'argv' | 'script'> {
  if (command.form === 'exec') return { argv: command.args.map(({ text }) => text) }
  const [only, ...others] = heredocs
  const { text, span } = command.text
  const alone = only && others.length === 0 && only.span.start === span.start && only.span.end === span.end
  if (!alone) {
    const bodies = heredocs.map(({ body, name }) => `\n${body.text}${name}`)
    return { argv: [...shellOf(state), [text, ...bodies].join('')] }
  }
  const body = heredocText(only)
  if (!body.startsWith('#!')) return { argv: [...shellOf(state), body] }
  return { argv: [`/dev/pipes/${only.name}`], script: { name: only.name, body } }
}

/** The body, for `<<-` without the tabs that start its lines. */
export function heredocText({ body, chomp }: Heredoc): string {
  return chomp ? body.text.replace(/(^|\n)\t+/g, '$1') : body.text
}

function planMounts(state: StageState, placed: PlacedInstruction, { mounts }: RunInstruction): RunStep['mounts'] {
  let sshCount = 0
  return mounts.map(word => {
    const mount = planMount(state, placed, { word, sshIndex: sshCount })
    if (mount.type === 'ssh') sshCount++
    return mount
  })
}

/** `|N A=1 B=x`: the arguments in scope, with the values that the command sees. Secrets are masked. */
function shownArguments(state: StageState, mounts: RunStep['mounts']): readonly string[] {
  if (state.args.size === 0) return []
  const masked = new Set(
    mounts.flatMap(mount => (mount.type === 'secret' && mount.env !== undefined ? [mount.env] : [])),
  )
  const values = [...state.args].map(
    ([name, value]) => `${name}=${masked.has(name) ? mask : shownValue(name, state.scope.get(name) ?? value ?? '')}`,
  )
  return [`|${values.length}`, ...values]
}
