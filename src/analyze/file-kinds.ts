/** What a file is for, as far as its path tells. Each file is of one kind at most: the first that fits. */
export const fileKinds = [
  'version-control',
  'package-lists',
  'package-caches',
  'debug-symbols',
  'source-maps',
  'documentation',
  'locales',
  'compilers',
  'headers',
  'tests',
  'temporary',
] as const

export type FileKind = (typeof fileKinds)[number]

/** For people: what each kind is. */
export const kindTitles: Readonly<Record<FileKind, string>> = {
  'version-control': 'version control',
  'package-lists': 'package lists',
  'package-caches': 'package caches',
  'debug-symbols': 'debug symbols',
  'source-maps': 'source maps',
  documentation: 'documentation',
  locales: 'locales',
  compilers: 'compilers and build tools',
  headers: 'headers and static libraries',
  tests: 'tests',
  temporary: 'temporary files and logs',
}

const patterns: readonly (readonly [FileKind, RegExp])[] = [
  ['version-control', /(^|\/)(\.git|\.hg|\.svn|\.bzr|CVS)(\/|$)/],
  [
    'package-lists',
    /^var\/lib\/apt\/lists\/|^var\/cache\/apt\/(src)?pkgcache\.bin$|^var\/cache\/apk\/APKINDEX|^var\/lib\/(dnf|yum)\/repos\/|^var\/cache\/(dnf|yum)\/.*(repodata|\.solvx?$)/,
  ],
  [
    'package-caches',
    new RegExp(
      [
        '^var/cache/(apt|apk|dnf|yum|pacman|debconf|man)/',
        '^var/cache/ldconfig/',
        '(^|/)\\.cache/(pip|uv|pypoetry|pipenv|yarn|pnpm|npm|go-build|composer|node-gyp|deno|bazel|huggingface|ms-playwright)/',
        '(^|/)\\.npm/_(cacache|logs|npx)/',
        '(^|/)\\.yarn/(berry/)?cache/|(^|/)share/\\.cache/yarn/',
        '(^|/)\\.local/share/pnpm/store/|(^|/)\\.pnpm-store/',
        '(^|/)\\.cargo/(registry|git)/|^usr/local/cargo/(registry|git)/',
        '^go/pkg/mod/|^root/go/pkg/mod/',
        '(^|/)\\.m2/repository/|(^|/)\\.gradle/(caches|wrapper)/|(^|/)\\.ivy2/cache/',
        '(^|/)\\.composer/cache/|(^|/)\\.bundle/cache/|(^|/)\\.gem/cache/|(^|/)ruby/gems/[^/]+/cache/|(^|/)bundle/ruby/[^/]+/cache/',
        '(^|/)\\.nuget/packages/|(^|/)\\.conda/pkgs/|^opt/conda/pkgs/',
      ].join('|'),
    ),
  ],
  ['debug-symbols', /^usr\/lib\/debug\/|\.(dbg|debug|dwo|dwp|pdb)$|\.dSYM\//],
  ['source-maps', /\.(js|mjs|cjs|css|ts)\.map$/],
  [
    'documentation',
    /^usr\/(local\/)?share\/(doc|man|info|gtk-doc|help|lintian|doc-base)\/|^usr\/(local\/)?man\/|^usr\/local\/go\/doc\/|(^|\/)node_modules\/(.*\/)?(readme|changelog|changes|history)(\.(md|markdown|txt|rst))?$/i,
  ],
  ['locales', /^usr\/(local\/)?share\/(locale|i18n)\/|^usr\/lib\/locale\/|^usr\/share\/X11\/locale\//],
  [
    'compilers',
    new RegExp(
      [
        '^usr/(local/)?lib(exec)?/gcc/.*/(cc1|cc1plus|collect2|lto1|lto-wrapper|g\\+\\+-mapper-server|f951|go1|d21|gnat1)$',
        '^usr/(local/)?bin/([a-z0-9_]+-linux-[a-z]+-)?(gcc|g\\+\\+|cpp|cc|c\\+\\+|c89|c99|clang|clang\\+\\+|gfortran|as|ld|ld\\.bfd|ld\\.gold|ld\\.lld|gold|make|gmake|cmake|ninja|meson|rustc|cargo|javac|ghc|nasm|yasm|bison|flex|autoconf|automake|libtool|m4|objdump|gdb|strace|valgrind|perf|dwp|gcov.*|lto-dump)(-[0-9.]+)?$',
        '^usr/lib/llvm-[0-9]+/',
        '^usr/local/go/(pkg|src|bin|lib|misc|api)/',
        '^usr/local/(rustup|cargo/bin)/|(^|/)\\.rustup/',
        '(^|/)node_modules/node-gyp/',
      ].join('|'),
    ),
  ],
  [
    'headers',
    /^usr\/(local\/)?(lib\/gcc\/.*\/)?include\/|^usr\/(local\/)?lib\/.*\.(a|la|o)$|^usr\/(local\/)?(lib\/([^/]+\/)?|share\/)pkgconfig\//,
  ],
  [
    'tests',
    /(^|\/)(node_modules|dist-packages|site-packages|gems|lib\/python3[^/]*)\/(.*\/)?(tests?|__tests__|testing|spec|specs)\//,
  ],
  ['temporary', /^(tmp|var\/tmp)\/|^var\/log\/|^var\/crash\/|(^|\/)core\.\d+$|~$|\.(bak|swp|orig|rej)$/],
]

/** Kinds ask for many patterns; most paths fail a quick one. */
const maybe =
  /^var\/|^tmp\/|^go\/|\/share\/|include\/|\/bin\/|\/(lib|libexec)\/(gcc|debug|llvm|locale|.*\.(a|la|o)$|.*pkgconfig)|\/\.|^\.|(^|\/)(CVS|core\.\d+)(\/|$)|\.(map|dbg|debug|dwo|dwp|pdb|bak|swp|orig|rej)$|~$|dSYM|node_modules|-packages|gems|lib\/python3|usr\/local\/(go|rustup|cargo|man)|usr\/man|bundle|conda/

/** The kind of a file by its path (without leading slash). */
export function kindOf(path: string): FileKind | undefined {
  if (!maybe.test(path)) return undefined
  for (const [kind, pattern] of patterns) if (pattern.test(path)) return kind
  return undefined
}
