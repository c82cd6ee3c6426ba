/** How bad a finding is; the order is hadolint's. */
export type LintSeverity = 'error' | 'warning' | 'info' | 'style'

export const lintSeverities: readonly LintSeverity[] = ['error', 'warning', 'info', 'style']

/** What is known about a rule before it looks at anything. */
export interface RuleEntry {
  readonly severity: LintSeverity
  /** Names that hadolint has for it. */
  readonly codes: readonly string[]
  readonly about: string
}

const rule = (severity: LintSeverity, about: string, ...codes: readonly string[]): RuleEntry => ({
  severity,
  codes,
  about,
})

/** Rules beyond the build checks, in the order of the documentation. */
export const ruleTable = {
  // Reproducible
  TagMissing: rule('warning', '`FROM` names an image without tag or digest', 'DL3006'),
  TagLatest: rule('warning', '`FROM` uses the tag `latest`', 'DL3007'),
  PinAptVersions: rule('warning', '`apt-get install` takes whatever version there is', 'DL3008'),
  PinPipVersions: rule('warning', '`pip install` takes whatever version there is', 'DL3013'),
  PinNpmVersions: rule('warning', '`npm install` takes whatever version there is', 'DL3016'),
  PinApkVersions: rule('warning', '`apk add` takes whatever version there is', 'DL3018'),
  PinGemVersions: rule('warning', '`gem install` takes whatever version there is', 'DL3028'),
  PinYumVersions: rule(
    'warning',
    '`yum`, `dnf` or `zypper` install whatever version there is',
    'DL3033',
    'DL3037',
    'DL3041',
  ),
  PinGoVersions: rule('warning', '`go install` takes whatever version there is', 'DL3062'),
  NoUpgrade: rule('warning', 'all packages of the base are upgraded', 'DL3005', 'DL3017', 'DL3031', 'DL3035', 'DL3039'),
  NpmCi: rule('info', '`npm install` may change what the lock file says'),
  AddWithoutChecksum: rule('info', '`ADD` downloads something without `--checksum`'),
  // Small
  AptCleanLists: rule('info', 'the package lists of apt stay in the layer', 'DL3009'),
  AptNoRecommends: rule('info', '`apt-get install` takes recommended packages too', 'DL3015'),
  ApkNoCache: rule('info', '`apk add` leaves its index in the layer', 'DL3019'),
  YumClean: rule('warning', '`yum`, `dnf` or `zypper` leave their caches in the layer', 'DL3032', 'DL3036', 'DL3040'),
  PipNoCacheDir: rule('warning', '`pip install` leaves its cache in the layer', 'DL3042'),
  YarnCacheClean: rule('info', '`yarn install` leaves its cache in the layer', 'DL3060'),
  CacheLeft: rule('info', 'a package manager leaves its cache in the layer'),
  AddForArchive: rule('info', 'an archive is copied, then unpacked by `RUN`', 'DL3010'),
  RemovedLater: rule('warning', '`RUN rm` removes what an earlier layer holds'),
  ChownAfterCopy: rule('warning', '`RUN chown` or `chmod` stores copied files a second time'),
  UseraddNoLog: rule('warning', '`useradd` with a high number makes a huge log file', 'DL3046'),
  DuplicatePackages: rule('info', 'a package is named twice'),
  DevDependencies: rule('info', 'the last stage installs what only development needs'),
  // Cache
  CopyAllBeforeInstall: rule('warning', 'everything is copied before dependencies are installed'),
  AptUpdateAlone: rule('warning', '`apt-get update` has a `RUN` of its own'),
  ConsecutiveRuns: rule('info', 'several `RUN` follow each other', 'DL3059'),
  // Safe
  LastUserRoot: rule('warning', 'the last `USER` is root', 'DL3002'),
  RootAtEnd: rule('info', 'the image has no `USER`, so it runs as root'),
  NoSudo: rule('error', '`sudo` is used', 'DL3004'),
  SecretInText: rule('error', 'a secret stands in the file'),
  CurlPipeShell: rule('warning', 'a script from the network is run as it comes'),
  Pipefail: rule('warning', 'a pipe without `pipefail`: what fails in it is not seen', 'DL4006'),
  TlsVerificationOff: rule('warning', 'certificates or signatures are not checked'),
  UnsafePermissions: rule('warning', '`chmod 777` lets everybody write'),
  TrustedRegistry: rule('error', 'the image is from a registry that is not trusted', 'DL3026'),
  // Works
  WrongLibc: rule('error', 'a program goes to a base with another C library'),
  ArchitectureMismatch: rule('warning', 'a program is built for the machine that builds, not for the target'),
  InstallAtStart: rule('warning', '`CMD` or `ENTRYPOINT` installs something'),
  AptAssumeYes: rule('warning', '`apt-get install` without `-y` waits for an answer', 'DL3014'),
  YumAssumeYes: rule(
    'warning',
    '`yum`, `dnf` or `zypper` without `-y` wait for an answer',
    'DL3030',
    'DL3034',
    'DL3038',
  ),
  NoApt: rule('warning', '`apt` is for people, `apt-get` for scripts', 'DL3027'),
  UseWorkdir: rule('warning', '`cd` in `RUN` where `WORKDIR` is meant', 'DL3003'),
  UseCopy: rule('error', '`ADD` where `COPY` is meant', 'DL3020'),
  CopyFromUnknown: rule('warning', '`COPY --from` names no stage above', 'DL3022'),
  CopyFromSelf: rule('error', '`COPY --from` names its own stage', 'DL3023'),
  CopyRelative: rule('warning', '`COPY` to a relative path without `WORKDIR`', 'DL3045'),
  ExposePortRange: rule('error', '`EXPOSE` has a port above 65535', 'DL3011'),
  EnvSelfReference: rule('error', '`ENV` uses a variable that it sets itself', 'DL3044'),
  UseShell: rule('warning', 'the default shell is changed by a link', 'DL4005'),
  PointlessCommand: rule('info', 'a command that makes no sense in a container', 'DL3001'),
  WgetAndCurl: rule('warning', '`wget` and `curl` are both used', 'DL4001'),
  WgetProgress: rule('info', '`wget` fills the log with its progress', 'DL3047'),
  DebianFrontendEnv: rule('info', '`DEBIAN_FRONTEND` is set for whoever runs the image'),
  // Labels and health
  LabelKey: rule('style', 'a label has an invalid name', 'DL3048'),
  LabelMissing: rule('info', 'a label that the settings ask for is missing', 'DL3049'),
  LabelSuperfluous: rule('info', 'a label that the settings do not know', 'DL3050'),
  LabelInvalid: rule(
    'warning',
    'a label is not what the settings ask for',
    'DL3051',
    'DL3052',
    'DL3053',
    'DL3054',
    'DL3055',
    'DL3056',
    'DL3058',
  ),
  MissingHealthcheck: rule('style', 'the image has no `HEALTHCHECK`', 'DL3057'),
} as const satisfies Readonly<Record<string, RuleEntry>>

export type RuleName = keyof typeof ruleTable

export const ruleNames = Object.keys(ruleTable) as readonly RuleName[]

/** How bad the build checks are here, and what hadolint calls them. */
export const buildCheckTable: Readonly<Record<string, Omit<RuleEntry, 'about'>>> = {
  WorkdirRelativePath: { severity: 'error', codes: ['DL3000'] },
  MultipleInstructionsDisallowed: { severity: 'warning', codes: ['DL3012', 'DL4003', 'DL4004'] },
  DuplicateStageName: { severity: 'error', codes: ['DL3024'] },
  JSONArgsRecommended: { severity: 'warning', codes: ['DL3025'] },
  FromPlatformFlagConstDisallowed: { severity: 'warning', codes: ['DL3029'] },
  MaintainerDeprecated: { severity: 'error', codes: ['DL4000'] },
  ConsistentInstructionCasing: { severity: 'style', codes: [] },
  FromAsCasing: { severity: 'style', codes: [] },
  StageNameCasing: { severity: 'style', codes: [] },
  NoEmptyContinuation: { severity: 'style', codes: [] },
  InvalidDefinitionDescription: { severity: 'style', codes: [] },
  RedundantTargetPlatform: { severity: 'info', codes: [] },
  LegacyKeyValueFormat: { severity: 'info', codes: [] },
  ReservedStageName: { severity: 'error', codes: [] },
}

/** The rules and checks that hadolint's name stands for. */
export function namesOfCode(code: string): readonly string[] {
  return [...Object.entries(ruleTable), ...Object.entries(buildCheckTable)]
    .filter(([, { codes }]) => (codes as readonly string[]).includes(code.toUpperCase()))
    .map(([name]) => name)
}

/** How bad a rule or check is when nothing else is said. */
export function severityOf(name: string): LintSeverity {
  const entry: { readonly severity: LintSeverity } | undefined = Object.hasOwn(ruleTable, name)
    ? ruleTable[name as RuleName]
    : buildCheckTable[name]
  return entry?.severity ?? 'warning'
}
