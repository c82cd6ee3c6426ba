import type { Surroundings } from './generate-case.ts'

const paths = [
  '/d',
  '/d/e',
  '/x',
  '/etc/skel',
  '/opt/tool',
  '/opt/tool/lib',
  '/opt/tool/README',
  '/home/app',
  '/a',
  '/usr/share/doc',
  '/srv/shared',
  '/tmp',
]

/** RUN in the test base: changes of every kind to the tree, and what a process sees. Failures count, too. */
export function generateRun({ random, stages }: Surroundings): string {
  const [one, two] = [random.pick(paths), random.pick(paths)]
  const change = (): string =>
    random.pick([
      `rm -rf ${one}`,
      `rm -rf ${one} && mkdir -p ${one}`,
      `rm -rf ${one} && mkdir -p ${one} && echo new > ${one}/new`,
      `rm -rf ${one} && echo file > ${one}`,
      `rm -rf ${one}/* || true`,
      `mkdir -p ${one}/m/n && touch ${one}/m/n/o`,
      `mkdir -p /moved && mv ${one} /moved/ || true`,
      `rm -rf /l && ln -s ${two} /l`,
      `chmod 711 ${one} || true`,
      `chown 9:9 ${one} || true`,
      `mkdir -p /h && echo h > /h/1 && ln -f /h/1 /h/2`,
      `touch -d 2001-02-03T04:05:06 ${one} || true`,
      `mkdir -p /t && cp -a ${two} /t/ || true`,
    ])
  const look = random.pick([
    'env | grep -v -e ^HOSTNAME= | sort > /tmp/env',
    'pwd > /tmp/pwd; id > /tmp/id; umask > /tmp/umask',
    'echo "$A ${B:-b}" > /tmp/vars',
  ])
  const mounts = random.pick([
    'RUN --mount=type=tmpfs,target=/tmp/scratch touch /tmp/scratch/x; ls -A /tmp/scratch > /tmp/seen',
    'RUN --mount=target=/tmp/ctx ls -A /tmp/ctx | sort > /tmp/seen',
    'RUN --mount=target=/tmp/ctx,rw touch /tmp/ctx/made; ls -A /tmp/ctx | sort > /tmp/seen',
    'RUN --mount=type=cache,target=/tmp/cache,id=none,sharing=private touch /tmp/cache/x',
    // In the first stage it would be a circle.
    ...(stages.length > 0 || random.oneIn(10)
      ? ['RUN --mount=type=bind,from=stage0,source=/,target=/tmp/other ls -A /tmp/other | sort > /tmp/seen']
      : []),
  ])
  return random.weighted([
    [8, `RUN ${random.list(1, 3, change).join('; ')}`],
    [2, `RUN ${look}`],
    [2, mounts],
    [1, `RUN ["/bin/sh", "-c", "echo exec > /tmp/exec"]`],
  ])
}
