/**
 * Whether a file belongs to a package that somebody else made, and there to its tests or documentation: keys there are
 * examples that everybody has. What is anywhere else is looked at whatever its name.
 */
export function isPackagedExample(path: string): boolean {
  if (documentation.test(path) || systemFiles.test(path)) return true
  return packages.test(path) && examples.test(path)
}

const documentation =
  /^usr\/(?:local\/)?share\/(?:doc|man|info|gtk-doc|help|locale|perl|perl5|vim|nano|bash-completion|zsh|javadoc|licenses)\/|^usr\/lib\/python[\d.]+\/(?:test|idlelib|lib2to3\/tests)\/|^usr\/local\/lib\/python[\d.]+\/(?:test|idlelib|lib2to3\/tests)\/|^usr\/share\/ca-certificates\/|^etc\/ssl\/certs\//

/** Debian's libraries, some of which carry the keys that they test themselves with, and the lists of all packages. */
const systemFiles = /^(?:usr\/)?lib\/[a-z\d_]+-linux-[a-z\d]+\/lib[^/]+\.so[.\d]*$|^var\/lib\/apt\/lists\//

const packages =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|gems|vendor\/bundle|bower_components|go\/pkg\/mod|\.cargo\/registry|\.m2\/repository|usr\/(?:local\/)?lib\/(?:node_modules|python[\d.]+|ruby|perl5|go(?:-[\d.]+)?)|usr\/local\/go)\//

const examples =
  /(?:^|\/)(?:__?tests?__?|tests?|spec|specs|fixtures?|testdata|test_data|examples?|samples?|docs?|demo|mocks?|__mocks__|benchmarks?)\/|(?:^|\/)(?:readme|changelog|changes|history|contributing|license)[^/]*$|[._-](?:test|spec)\.[a-z]+$|_test\.go$|\.(?:md|markdown|rst|adoc|map)$/i

/** A file of a package that somebody else made, and no settings that a person put there. */
export function isPackagedProgram(path: string): boolean {
  return packages.test(path) && !/(?:^|\/)(?:\.[^/]+|config\.json|[^/]*\.(?:pem|key|env|ya?ml|ini|conf))$/.test(path)
}

/** Lists of what was installed: full of digests. */
export function isLockFile(path: string): boolean {
  return /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lock|composer\.lock|Cargo\.lock|Gemfile\.lock|poetry\.lock|uv\.lock|Pipfile\.lock|go\.sum|flake\.lock|deno\.lock|packages\.lock\.json|RECORD)$/.test(
    path,
  )
}

/** Pages for people: prose about secrets, with examples. */
export function isProse(path: string): boolean {
  return (
    /\.(?:md|markdown|rst|adoc|html?|tex|po|pot|mo|svg|css|map|d\.ts)$/i.test(path) ||
    /(?:^|\/)(?:readme|changelog|license|copying)[^/]*$/i.test(path)
  )
}
