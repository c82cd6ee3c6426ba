import { splitPath } from '#tree'
import { fileAt, type FileTree, type LoadedObject, smallText, tripletOf } from './library-search.ts'
import type { ProgramClosure } from './program-closure.ts'

/** Files that a program may open while it runs: found by what it imports, not by following its code. */
export interface RuntimeHint {
  /** Without leading slash; a directory's ends in a slash. */
  readonly path: string
  readonly why: string
}

/** What is loaded by whom, and where plug-ins of that kind lie. */
interface Rule {
  readonly why: string
  /** One of these functions is imported by an object besides the C library itself… */
  readonly imports?: readonly string[]
  /** …or an object of this name is loaded, or this is the program. */
  readonly objects?: RegExp
  /** Candidates, `%` for the directory of architecture-dependent libraries; those that exist count. */
  readonly paths: (context: RuleContext) => readonly string[]
}

interface RuleContext {
  readonly tree: FileTree
  readonly libraryDirectory: string
  readonly closure: ProgramClosure
}

/** Services that `nsswitch.conf` names, for the databases that a program can ask for. */
function nssPaths({ tree, libraryDirectory }: RuleContext): readonly string[] {
  const text = smallText(tree, 'etc/nsswitch.conf')
  const services = (text ?? 'passwd: files\nhosts: files dns')
    .split('\n')
    .map(line => line.replace(/#.*/, ''))
    .flatMap(
      line =>
        /^\s*\w+\s*:(.*)$/
          .exec(line)?.[1]
          ?.replaceAll(/\[[^\]]*\]/g, ' ')
          .split(/\s+/) ?? [],
    )
    .filter(Boolean)
  const libraries = [...new Set(services)].map(service => `${libraryDirectory}/libnss_${service}.so.2`)
  return ['etc/nsswitch.conf', ...libraries]
}

const rules: readonly Rule[] = [
  {
    why: 'users and groups are looked up by name (NSS)',
    imports: [
      'getpwnam',
      'getpwuid',
      'getpwnam_r',
      'getpwuid_r',
      'getgrnam',
      'getgrgid',
      'getgrnam_r',
      'getgrgid_r',
      'getgrouplist',
      'initgroups',
    ],
    paths: context => [...(context.closure.search.libc === 'musl' ? [] : nssPaths(context)), 'etc/passwd', 'etc/group'],
  },
  {
    why: 'hosts are looked up by name (NSS)',
    imports: ['getaddrinfo', 'gethostbyname', 'gethostbyname_r', 'gethostbyname2_r', 'gethostbyaddr_r'],
    paths: context => [
      ...(context.closure.search.libc === 'musl' ? [] : nssPaths(context)),
      'etc/host.conf',
      'etc/gai.conf',
    ],
  },
  {
    why: 'services and protocols are looked up by name',
    imports: ['getservbyname', 'getservbyname_r', 'getprotobyname', 'getprotobyname_r'],
    paths: () => ['etc/services', 'etc/protocols'],
  },
  {
    why: 'text is converted between character sets (iconv)',
    imports: ['iconv_open'],
    paths: ({ libraryDirectory, closure }) => (closure.search.libc === 'musl' ? [] : [`${libraryDirectory}/gconv/`]),
  },
  {
    why: 'locales other than C',
    imports: ['setlocale', 'newlocale'],
    paths: ({ closure }) => (closure.search.libc === 'musl' ? [] : ['usr/lib/locale/']),
  },
  {
    why: 'threads are cancelled (libgcc is loaded then)',
    imports: ['pthread_cancel', 'pthread_exit'],
    paths: ({ libraryDirectory }) => [`${libraryDirectory}/libgcc_s.so.1`],
  },
  {
    why: 'terminal descriptions',
    objects: /^lib(tinfow?|ncursesw?|termcap)\.so/,
    paths: () => ['etc/terminfo/', 'lib/terminfo/', 'usr/share/terminfo/'],
  },
  {
    why: 'PAM modules and their settings',
    objects: /^libpam\.so/,
    paths: ({ libraryDirectory }) => [`${libraryDirectory}/security/`, 'etc/pam.d/', 'etc/pam.conf'],
  },
  {
    why: 'OpenSSL: settings, engines, providers',
    objects: /^libcrypto\.so/,
    paths: ({ libraryDirectory }) => [
      'etc/ssl/openssl.cnf',
      'usr/lib/ssl/openssl.cnf',
      ...['engines-3', 'engines-1.1', 'ossl-modules'].map(each => `${libraryDirectory}/${each}/`),
    ],
  },
  {
    why: 'certificates of authorities for TLS',
    objects: /^lib(ssl|gnutls|curl|curl-gnutls|nss3|mbedtls)\.so/,
    paths: () => ['etc/ssl/certs/', 'usr/share/ca-certificates/'],
  },
  { why: 'SASL mechanisms', objects: /^libsasl2\.so/, paths: ({ libraryDirectory }) => [`${libraryDirectory}/sasl2/`] },
  {
    why: 'Kerberos plug-ins',
    objects: /^libkrb5\.so/,
    paths: ({ libraryDirectory }) => [`${libraryDirectory}/krb5/plugins/`, 'etc/krb5.conf'],
  },
  {
    why: 'GIO modules',
    objects: /^libgio-2\.0\.so/,
    paths: ({ libraryDirectory }) => [`${libraryDirectory}/gio/modules/`],
  },
  {
    why: 'loaders of pictures',
    objects: /^libgdk_pixbuf-2\.0\.so/,
    paths: ({ libraryDirectory }) => [`${libraryDirectory}/gdk-pixbuf-2.0/`],
  },
  {
    why: 'database of file types',
    objects: /^libmagic\.so/,
    paths: () => ['usr/share/misc/magic.mgc', 'usr/lib/file/magic.mgc', 'etc/magic', 'etc/magic.mime'],
  },
  {
    why: 'fonts and their settings',
    objects: /^libfontconfig\.so/,
    paths: () => ['etc/fonts/', 'usr/share/fonts/', 'usr/share/fontconfig/'],
  },
  {
    why: 'ImageMagick coders and settings',
    objects: /^libMagickCore/,
    paths: ({ tree, libraryDirectory }) => [
      ...tree
        .list(libraryDirectory)
        .filter(each => each.startsWith('ImageMagick'))
        .map(each => `${libraryDirectory}/${each}/`),
      ...tree
        .list('etc')
        .filter(each => each.startsWith('ImageMagick'))
        .map(each => `etc/${each}/`),
    ],
  },
  {
    why: "Python's standard library",
    objects: /^(python\d+\.\d+|libpython\d+\.\d+\.so)/,
    paths: ({ closure }) => pythonPaths(closure),
  },
  {
    why: "Perl's modules",
    objects: /^(perl(5\.\d+(\.\d+)?)?|libperl\.so)/,
    paths: ({ tree, libraryDirectory }) => [
      'etc/perl/',
      ...[
        'usr/share/perl',
        'usr/share/perl5',
        'usr/share/perl-base',
        ...tree
          .list('usr/lib')
          .filter(each => each.startsWith('perl'))
          .map(each => `usr/lib/${each}`),
        ...tree
          .list(libraryDirectory)
          .filter(each => each.startsWith('perl'))
          .map(each => `${libraryDirectory}/${each}`),
      ].map(each => `${each}/`),
    ],
  },
  {
    why: "Ruby's standard library",
    objects: /^(ruby\d|libruby)/,
    paths: ({ libraryDirectory }) => ['usr/lib/ruby/', 'usr/local/lib/ruby/', `${libraryDirectory}/ruby/`],
  },
  {
    why: 'the parts of git',
    objects: /^git$/,
    paths: () => ['usr/lib/git-core/', 'usr/libexec/git-core/', 'usr/share/git-core/'],
  },
  {
    why: "GnuPG's agents",
    objects: /^gpgv?$/,
    paths: () => ['usr/bin/gpg-agent', 'usr/lib/gnupg/', 'usr/lib/gnupg2/'],
  },
]

function pythonPaths({ program, libraries }: ProgramClosure): readonly string[] {
  const names = [program, ...libraries].map(({ path }) => splitPath(path).name)
  const version = names.map(name => /^(?:lib)?python(\d+\.\d+)/.exec(name)?.[1]).find(Boolean)
  return version === undefined ? [] : ['usr', 'usr/local'].map(prefix => `${prefix}/lib/python${version}/`)
}

const ownOfLibc = /^(ld-linux|ld-musl|ld64|libc\.|libc-|libpthread|librt|libdl|libm\.|libresolv|libnsl|libanl|libnss_)/

/** What may be opened while the program runs, as far as it exists in the tree. */
export function runtimeHints(tree: FileTree, closure: ProgramClosure): readonly RuntimeHint[] {
  const { program, libraries } = closure
  const objects = [program, ...libraries]
  const callers = objects.filter(each => each === program || !ownOfLibc.test(splitPath(each.path).name))
  const libraryDirectory = directoryOf(closure)
  const seen = new Set<string>([
    ...objects.map(({ path }) => path),
    ...(closure.interpreter ? [closure.interpreter] : []),
  ])
  return rules.flatMap(({ why, imports, objects: pattern, paths }) => {
    const applies =
      imports?.some(name => callers.some(each => each.elf.names().has(name))) === true ||
      (pattern !== undefined && objects.some(each => pattern.test(splitPath(each.path).name)))
    if (!applies) return []
    return paths({ tree, libraryDirectory, closure }).flatMap(path => {
      if (seen.has(path) || !present(tree, path)) return []
      seen.add(path)
      return [{ path, why }]
    })
  })
}

/** Where the C library lies is where plug-ins are looked for. */
function directoryOf({ libraries, program, search }: ProgramClosure): string {
  const libc = libraries.find(({ path }) => splitPath(path).name.startsWith('libc.so'))
  if (libc && search.libc === 'glibc') return splitPath(libc.path).parent.replace(/^lib(?=\/|$)/, 'usr/lib')
  const triplet = tripletOf(program.elf)
  return triplet ? `usr/lib/${triplet}` : 'usr/lib'
}

function present(tree: FileTree, path: string): boolean {
  if (!path.endsWith('/')) return fileAt(tree, path) !== undefined
  const directory = path.slice(0, -1)
  return tree.list(directory).length > 0
}

/** Loaded by name while the program runs, where that can be told from what it imports. */
export function loadsAtRunTime({
  program,
  libraries,
}: {
  program: LoadedObject
  libraries: readonly LoadedObject[]
}): boolean {
  return [program, ...libraries].some(
    each => !ownOfLibc.test(splitPath(each.path).name) && each.elf.names().has('dlopen'),
  )
}
