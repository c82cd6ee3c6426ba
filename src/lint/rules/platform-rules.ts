import type { CopyInstruction } from '#dockerfile'
import { operands, type ShellCommand } from '../shell/shell-command.ts'
import { baseOf } from './base-rules.ts'
import { pathsOf } from './copy-rules.ts'
import { commandsIn, type RuleFinding, type RuleSubject, type StageView } from './rule-finding.ts'

/** Rules about programs that go from one stage to another: C library and architecture. */
export function platformRules(subject: RuleSubject): readonly RuleFinding[] {
  return subject.stages.flatMap(stage =>
    stage.instructions.flatMap(each => {
      if (each.kind !== 'copy' || !each.from || !carriesPrograms(each)) return []
      const source = sourceOf(subject, each)
      return source
        ? [...checkLibc(subject, each, { stage, source }), ...checkArchitecture(each, { stage, source })]
        : []
    }),
  )
}

interface Ends {
  readonly stage: StageView
  readonly source: StageView
}

function sourceOf({ stages }: RuleSubject, { from }: CopyInstruction): StageView | undefined {
  const name = from?.text.toLowerCase()
  return stages.find(({ node }) => node.name === name || String(node.position) === name)
}

/** Paths that look like programs or what they need, and not like files for people or browsers. */
function carriesPrograms(copy: CopyInstruction): boolean {
  const target = copy.destination.text
  return pathsOf(copy).some(({ text }) => {
    if (
      /\.(?:html?|css|js|mjs|json|jar|war|txt|md|conf|ya?ml|py|rb|php|sh|crt|pem|tar(?:\.\w+)?|zip|wasm)$/i.test(text)
    )
      return false
    if (
      /(?:^|\/)(?:dist|public|static|assets|html|www|templates|node_modules|vendor|docs?|build|certs?|etc|share)\/?$/i.test(
        text,
      )
    )
      return false
    return (
      /(?:^|\/)s?bin(?:\/|$)|(?:^|\/)(?:release|debug|target|out)\/|\.so(?:\.\d+)*$|(?:^|\/)lib(?:exec)?\//.test(
        text,
      ) ||
      /(?:^|\/)s?bin(?:\/|$)/.test(target) ||
      /^\/?(?:[\w.-]+\/)*[\w-]+$/.test(text)
    )
  })
}

/** The C library of a stage: by the files of its base where known, else by the name and tag. */
function libcOf(subject: RuleSubject, stage: StageView): 'glibc' | 'musl' | 'none' | undefined {
  const bottom = stage.below.at(-1) ?? stage
  if (bottom.node.from.image.text === 'scratch') return 'none'
  const base = baseOf(subject, bottom)
  if (!base) return undefined
  const known = subject.settings.libcOf.get(base.text)
  if (known !== undefined) return known
  const { path: repository, tag = '' } = base.reference
  const name = repository.slice(repository.lastIndexOf('/') + 1)
  const whole = `${repository}:${tag}`
  if (/alpine|musl/.test(whole) || name.startsWith('postmarketos')) return 'musl'
  if (name === 'busybox') return /glibc/.test(tag) ? 'glibc' : /musl/.test(tag) ? 'musl' : undefined
  if (/distroless/.test(whole)) return /static/.test(name) ? 'none' : 'glibc'
  if (
    /^(?:debian|ubuntu|fedora|centos|rockylinux|almalinux|amazonlinux|opensuse|leap|archlinux|ubi\d*(?:-\w+)*|oraclelinux|buildpack-deps|photon)$/.test(
      name,
    )
  )
    return 'glibc'
  if (/(?:^|[-.])(?:bookworm|bullseye|buster|trixie|stretch|jammy|noble|focal|slim|debian|ubuntu)(?:$|[-.])/.test(tag))
    return 'glibc'
  if (
    /^(?:golang|rust|gcc|node|python|ruby|php|openjdk|eclipse-temurin|maven|gradle|erlang|elixir|haskell|swift|perl|nginx|httpd|postgres|redis|mysql|mariadb)$/.test(
      name,
    )
  )
    return 'glibc'
  return undefined
}

/** Commands that make programs, and whether what they make needs no C library of the system. */
function makesProgram(command: ShellCommand): boolean {
  const { name, args } = command
  const [verb] = operands(command)
  return (
    (name === 'go' && ['build', 'install'].includes(verb?.text ?? '')) ||
    (name === 'cargo' && ['build', 'install'].includes(verb?.text ?? '')) ||
    /^(?:\S*-)?(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|rustc|ghc|ldc2|nim|zig|swiftc)$/.test(name) ||
    name === 'make' ||
    name === 'ninja' ||
    name === 'meson' ||
    (name === 'cmake' && args.some(({ text }) => text === '--build')) ||
    (name === 'swift' && verb?.text === 'build') ||
    name === 'native-image' ||
    name === 'pyinstaller'
  )
}

function isStatic(stage: StageView): boolean {
  const commands = [stage, ...stage.below].flatMap(commandsIn)
  const env = [stage, ...stage.below]
    .flatMap(({ instructions }) => instructions)
    .flatMap(each =>
      each.kind === 'env'
        ? each.pairs.map(({ name, value }) => `${name.text}=${value.text}`)
        : each.kind === 'arg'
          ? each.args.map(({ name, value }) => `${name.text}=${value?.text ?? ''}`)
          : [],
    )
  const texts = [
    ...env,
    ...commands.flatMap(({ before, args, name }) => [
      name,
      ...before.map(({ text }) => text),
      ...args.map(({ text }) => text),
    ]),
  ].join(' ')
  return /CGO_ENABLED=["']?0|(?:^|\s)--?static(?:-pie)?\b|-extldflags\S*\s*\S*-static|linux-musl|crt-static|musl-gcc|-musl\b|LDFLAGS\S*-static|--libc=musl|--static-swift-stdlib/.test(
    texts,
  )
}

function checkLibc(subject: RuleSubject, copy: CopyInstruction, { stage, source }: Ends): readonly RuleFinding[] {
  const [here, there] = [libcOf(subject, stage), libcOf(subject, source)]
  if (here === undefined || there === undefined || here === there || there === 'none') return []
  const chain = [source, ...source.below]
  if (!chain.flatMap(commandsIn).some(makesProgram) || isStatic(source)) return []
  const [first] = pathsOf(copy)
  const name = source.node.from.image.text
  const message =
    here === 'none'
      ? `a program linked against ${there} (${name}) cannot start on ${stage.node.from.image.text}: there is no C library`
      : `a program linked against ${there} (${name}) cannot start on a base with ${here}: "not found", although the file is there`
  return [
    {
      code: 'WrongLibc',
      message,
      hint:
        here === 'none'
          ? 'link statically (CGO_ENABLED=0, -static, a musl target), or take a base with the same C library'
          : 'build on a base of the same family, or link statically (CGO_ENABLED=0, -static, a musl target)',
      span: first?.span ?? copy.keyword.span,
    },
  ]
}

/** Built on the machine that builds, copied to the target, and nothing tells the compiler about the target. */
function checkArchitecture(copy: CopyInstruction, { stage, source }: Ends): readonly RuleFinding[] {
  const [here, there] = [stage, source].map(each => (each.below.at(-1) ?? each).node.from.platform?.text)
  const [first] = pathsOf(copy)
  const span = first?.span ?? copy.keyword.span
  if (here !== undefined && there !== undefined && here !== there && ![here, there].some(text => text.includes('$'))) {
    return [
      {
        code: 'ArchitectureMismatch',
        message: `a program for ${there} is copied to ${here}`,
        hint: 'give both stages the same --platform',
        span,
      },
    ]
  }
  if (!/\$\{?BUILDPLATFORM/.test(there ?? '') || /\$\{?BUILDPLATFORM/.test(here ?? '')) return []
  const texts = [source, ...source.below]
    .flatMap(({ instructions }) => instructions.map(({ text }) => text.text))
    .join('\n')
  const heredocs = [source, ...source.below]
    .flatMap(({ runs }) => runs.flatMap(({ instruction }) => instruction.heredocs.map(({ body }) => body.text)))
    .join('\n')
  if (/TARGET(?:ARCH|PLATFORM|OS|VARIANT)|GOARCH|--target|CARGO_BUILD_TARGET|-target\b|xx-/.test(texts + heredocs))
    return []
  if (![source, ...source.below].flatMap(commandsIn).some(makesProgram)) return []
  return [
    {
      code: 'ArchitectureMismatch',
      message: 'the program is built for the machine that builds: with --platform it is the wrong one',
      hint: 'use ARG TARGETOS TARGETARCH in the building stage (GOOS=$TARGETOS GOARCH=$TARGETARCH), or leave --platform=$BUILDPLATFORM out',
      span,
    },
  ]
}
