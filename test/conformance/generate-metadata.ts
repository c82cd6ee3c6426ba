import type { Surroundings } from './generate-case.ts'
import type { Random } from './random.ts'

/** Instructions that only change the configuration, and WORKDIR: sections 6, 8 and 9 of the language page. */
export function generateMetadata(around: Surroundings): string {
  const { random, stage } = around
  return random.weighted([
    [5, () => variable(around, 'ENV')],
    [5, () => variable(around, 'ARG')],
    [
      3,
      () => `LABEL ${random.list(1, 2, () => `${random.pick(['k', 'l', '"a b"', 'x.y'])}=${value(around)}`).join(' ')}`,
    ],
    [5, () => `WORKDIR ${workdir(around)}`],
    [
      3,
      () =>
        `USER ${random.pick(stage.hasBase ? ['app', 'svc', '1000', '7:8', 'root', 'app:staff', '$A'] : ['1000', '7:8', '0'])}`,
    ],
    [
      1,
      () =>
        `EXPOSE ${random.pick(['80', '80/udp 53', '100-102/TCP', '${A:-1}', '"81"', '$A'].slice(0, random.oneIn(6) ? 6 : 5))}`,
    ],
    [
      1,
      () =>
        `VOLUME ${random.pick(['/data', '["/d", "/x y"]', '/d/ rel', '${A:-/a}', '$A'].slice(0, random.oneIn(6) ? 5 : 4))}`,
    ],
    [2, () => `CMD ${command(random)}`],
    [2, () => `ENTRYPOINT ${command(random)}`],
    [1, () => `SHELL ${random.pick(['["/bin/sh", "-xc"]', '["/bin/sh", "-ec"]', '["/bin/sh","-c"]'])}`],
    [1, () => `STOPSIGNAL ${random.pick(['SIGTERM', '9', 'sigint', 'SIGRTMIN+3'])}`],
    [
      1,
      () =>
        `HEALTHCHECK ${random.pick(['NONE', '--interval=5s CMD true', '--retries=2 --timeout=1m30s CMD ["x", "y"]'])}`,
    ],
    [1, () => `MAINTAINER ${random.pick(['A <a@b>', '"quoted" $A'])}`],
    [1, () => `ONBUILD ${random.pick(['ENV T=1', 'COPY . /onbuild/', 'WORKDIR /ob', 'LABEL o=$A'])}`],
  ])()
}

function variable(around: Surroundings, keyword: 'ENV' | 'ARG'): string {
  const { random, variables } = around
  const name = random.pick(['A', 'B', 'C', 'GLOBAL', 'DIR', 'PATH_2'])
  variables.push(name)
  if (keyword === 'ARG' && random.oneIn(3)) return `ARG ${name}`
  if (keyword === 'ENV' && random.oneIn(8)) return `ENV ${name} ${value(around)} more  text`
  const more = random.oneIn(4) ? ` ${random.pick(['D', 'E'])}=${value(around)}` : ''
  return `${keyword} ${name}=${value(around)}${more}`
}

function value({ random, variables }: Surroundings): string {
  const name = variables.length > 0 ? random.pick(variables) : 'UNSET'
  return random.pick([
    'plain',
    '/some/dir',
    '""',
    `$${name}`,
    `\${${name}}`,
    `\${${name}:-default}`,
    `\${${name}:+set}`,
    `\${${name}:-\${UNSET:-nested}}`,
    `"two words $${name}"`,
    `'single $${name}'`,
    `esc\\ aped\\$${name}`,
    `"q\\"uo\\te\\\\"`,
    `pre$${name}post`,
    `a"b 'c'"'d "e"'f`,
    '$',
    '"$ x"',
    `\${${name}}$${name}`,
    'tab\\tn',
    '1=2=3',
    '#hash',
  ])
}

function workdir({ random, variables, stage }: Surroundings): string {
  const name = variables.length > 0 ? random.pick(variables) : 'UNSET'
  return random.pick([
    '/w',
    '/w/x/y',
    'rel',
    'rel/../other',
    '..',
    '/w//z/',
    '/srv/shared/made',
    '/',
    '/sp ace',
    `/v/$${name}`,
    `\${${name}:-/fallback}`,
    (stage.destinations.at(-1) ?? '/d').replaceAll('\\', ''),
  ])
}

function command(random: Random): string {
  return random.pick([
    '["a", "b c"]',
    'echo "$HOME"',
    '[]',
    "['single']",
    '["trailing"] x',
    'a \\\n  b',
    '["\\u00e9\\t"]',
    '[ "/bin/sh" , "-c","x" ]',
  ])
}
