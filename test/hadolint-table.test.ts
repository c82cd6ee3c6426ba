import { describe, expect, test } from 'vitest'
import { parseDockerfile } from '#dockerfile'
import { loadRules } from '#lint'

const { lintWithRules, defaultLintSettings } = await loadRules()

function codesOf(text: string): readonly string[] {
  const tree = parseDockerfile({ name: 'Dockerfile', text })
  return lintWithRules(tree, { ...defaultLintSettings, trustedRegistries: [] }).flatMap(({ codes }) => codes)
}

/** A body below `FROM debian:12`, the code that hadolint's wiki gives for it, and whether it speaks. */
const table: readonly (readonly [code: string, speaks: boolean, body: string])[] = [
  ['DL3000', true, 'WORKDIR usr/src/app'],
  ['DL3000', false, 'WORKDIR /usr/src/app'],
  ['DL3001', true, 'RUN top'],
  ['DL3002', true, 'USER root\nCMD ["x"]'],
  ['DL3002', false, 'USER root\nUSER dummy'],
  ['DL3003', true, 'RUN cd /usr/src/app && git clone git@github.com:lukasmartinelli/hadolint.git'],
  ['DL3003', false, 'WORKDIR /usr/src/app\nRUN git clone git@github.com:lukasmartinelli/hadolint.git'],
  ['DL3004', true, 'RUN sudo apt-get install'],
  ['DL3005', true, 'RUN apt-get update && apt-get dist-upgrade'],
  ['DL3008', true, 'RUN apt-get install python'],
  ['DL3008', false, 'RUN apt-get install python=2.7'],
  ['DL3008', false, 'RUN apt-get install ./wkhtmltox_0.12.5-1.bionic_amd64.deb'],
  ['DL3008', true, 'RUN apt-get -y --no-install-recommends install nodejs'],
  ['DL3009', true, 'RUN apt-get update && apt-get install -y python'],
  [
    'DL3009',
    false,
    'RUN apt-get update && apt-get install -y python \\\n && apt-get clean \\\n && rm -rf /var/lib/apt/lists/*',
  ],
  ['DL3010', true, 'COPY rootfs.tar.xz /\nRUN tar -xf /rootfs.tar.xz'],
  ['DL3010', false, 'ADD rootfs.tar.xz /'],
  ['DL3011', true, 'EXPOSE 80000'],
  ['DL3011', false, 'EXPOSE 65535'],
  ['DL3012', true, 'HEALTHCHECK CMD ["a"]\nHEALTHCHECK CMD ["b"]'],
  ['DL3013', true, 'RUN pip install django'],
  ['DL3013', false, 'RUN pip install django==1.9'],
  ['DL3013', false, 'RUN pip install -r requirements.txt'],
  ['DL3013', false, 'RUN pip install git+https://github.com/Hackathon/django.git@1.9'],
  ['DL3013', true, 'RUN python -m pip install example'],
  ['DL3014', true, 'RUN apt-get install python=2.7'],
  ['DL3014', false, 'RUN apt-get install -y python=2.7'],
  ['DL3014', false, 'RUN apt-get install -qqy python=2.7'],
  ['DL3014', false, 'RUN apt-get --assume-yes install python=2.7'],
  ['DL3015', true, 'RUN apt-get install -y python=2.7'],
  ['DL3015', false, 'RUN apt-get install -y --no-install-recommends python=2.7'],
  ['DL3015', false, 'RUN apt-get install -y -o APT::Install-Recommends=0 python=2.7'],
  ['DL3016', true, 'RUN npm install express'],
  ['DL3016', false, 'RUN npm install express@4.1.1'],
  ['DL3016', false, 'RUN npm install'],
  ['DL3016', true, 'RUN npm install @angular/cli'],
  ['DL3016', false, 'RUN npm install @angular/cli@1.0.0'],
  ['DL3018', true, 'RUN apk --no-cache add foo'],
  ['DL3018', false, 'RUN apk --no-cache add foo=1.0'],
  ['DL3018', false, 'RUN apk add --no-cache --virtual .build foo=1.0'],
  ['DL3019', true, 'RUN apk update && apk add foo=1.0'],
  ['DL3019', false, 'RUN apk --no-cache add foo=1.0'],
  ['DL3020', true, 'ADD requirements.txt /usr/src/app/'],
  ['DL3020', false, 'COPY requirements.txt /usr/src/app/'],
  ['DL3020', false, 'ADD foo.tar.gz /usr/src/app/'],
  ['DL3022', true, 'COPY --from=unknown /a /a'],
  ['DL3022', false, 'COPY --from=alpine:3.20 /a /a'],
  ['DL3023', true, 'FROM debian:12 AS foo\nCOPY --from=foo bar /bar'],
  ['DL3024', true, 'FROM debian:12 AS a\nFROM debian:12 AS a'],
  ['DL3025', true, 'CMD node server.js'],
  ['DL3025', false, 'CMD ["node", "server.js"]'],
  ['DL3027', true, 'RUN apt install -y curl=1'],
  ['DL3028', true, 'RUN gem install bundler'],
  ['DL3028', false, 'RUN gem install bundler:1.1'],
  ['DL3028', false, 'RUN gem install bundler -v 1.1'],
  ['DL3029', true, 'FROM --platform=linux/arm64 debian:12'],
  ['DL3030', true, 'RUN yum install httpd-2.4.24'],
  ['DL3030', false, 'RUN yum install -y httpd-2.4.24'],
  ['DL3032', true, 'RUN yum install -y httpd-2.4.24'],
  ['DL3032', false, 'RUN yum install -y httpd-2.4.24 && yum clean all'],
  ['DL3033', true, 'RUN yum install -y httpd'],
  ['DL3033', false, 'RUN yum install -y httpd-2.4.24'],
  ['DL3034', true, 'RUN zypper install httpd=2.4.46'],
  ['DL3034', false, 'RUN zypper install -n httpd=2.4.46'],
  ['DL3042', true, 'RUN pip3 install MySQL_python==1.2'],
  ['DL3042', false, 'RUN pip3 install --no-cache-dir MySQL_python==1.2'],
  ['DL3042', false, 'ENV PIP_NO_CACHE_DIR=1\nRUN pip3 install MySQL_python==1.2'],
  ['DL3044', true, 'ENV FOO=bar BAZ=${FOO}/bla'],
  ['DL3044', false, 'ENV PATH=/x:$PATH'],
  ['DL3045', true, 'COPY foo bar/'],
  ['DL3045', false, 'WORKDIR /x\nCOPY foo bar/'],
  ['DL3046', true, 'RUN useradd -u 123456 foobar'],
  ['DL3046', false, 'RUN useradd -l -u 123456 foobar'],
  ['DL3047', true, 'RUN wget https://example.com/big_file.tar'],
  ['DL3047', false, 'RUN wget --progress=dot:giga https://example.com/big_file.tar'],
  ['DL3048', true, 'LABEL invalid$character="foobar"'],
  ['DL3048', true, 'LABEL com..example="foobar"'],
  ['DL3059', true, 'RUN a\nRUN b'],
  ['DL3059', false, 'RUN a\nCOPY x /x\nRUN b'],
  ['DL3060', true, 'RUN yarn install'],
  ['DL3060', false, 'RUN yarn install && yarn cache clean'],
  ['DL3062', true, 'RUN go install example.com/pkg'],
  ['DL3062', false, 'RUN go install example.com/pkg@v1.2.3'],
  ['DL4000', true, 'MAINTAINER Lukas <me@lukasmartinelli.ch>'],
  ['DL4001', true, 'RUN wget -q http://google.com\nRUN curl http://bing.com'],
  ['DL4003', true, 'CMD ["a"]\nCMD ["b"]'],
  ['DL4004', true, 'ENTRYPOINT ["a"]\nENTRYPOINT ["b"]'],
  ['DL4005', true, 'RUN ln -sfv /bin/bash /bin/sh'],
  ['DL4006', true, 'RUN wget -O - https://some.site | wc -l > /number'],
  ['DL4006', false, 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN wget -O - https://some.site | wc -l > /number'],
  ['DL4006', false, 'RUN set -o pipefail && wget -O - https://some.site | wc -l > /number'],
  ['DL3006', true, 'FROM debian'],
  ['DL3006', false, 'FROM debian@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d'],
  ['DL3007', true, 'FROM debian:latest'],
]

describe("hadolint's rules speak where its documentation says so", () => {
  test.each(table)('%s %s: %s', (code, speaks, body) => {
    const text = body.startsWith('FROM') ? body : `FROM debian:12\n${body}`
    expect(codesOf(text).includes(code), codesOf(text).join(' ')).toBe(speaks)
  })
})

describe('what a person reads: the words under the caret', () => {
  /** The rule, the words it points at, and the file. */
  const places: readonly (readonly [rule: string, words: string, text: string])[] = [
    [
      'PinAptVersions',
      'curl',
      'FROM debian:12\nRUN apt-get update && \\\n  apt-get install -y \\\n  # a comment\n  curl',
    ],
    ['NoSudo', 'sudo', 'FROM debian:12\nRUN <<EOF\nset -e\nsudo make\nEOF'],
    ['PipNoCacheDir', 'pip install x==1', 'FROM debian:12\nRUN <<EOF bash\nif true; then\n  pip install x==1\nfi\nEOF'],
    ['PinPipVersions', '"flask"', 'FROM debian:12\nRUN ["pip", "install", "--no-cache-dir", "flask"]'],
    ['CurlPipeShell', 'bash -s', 'FROM debian:12\nRUN curl -fsSL https://x.test/i.sh | bash -s'],
    ['AptNoRecommends', 'apt-get install -y "$PACKAGES"', 'FROM debian:12\nRUN (apt-get install -y "$PACKAGES")'],
    ['WgetProgress', 'wget https://x.test/y', 'FROM debian:12\nRUN x=$(wget https://x.test/y)'],
    ['ChownAfterCopy', 'chown -R app .', 'FROM debian:12\nWORKDIR /app\nCOPY . .\nRUN chown -R app .'],
    [
      'WrongLibc',
      '/out/tool',
      'FROM rust:1.80 AS b\nRUN cargo build --release\nFROM alpine:3.20\nCOPY --from=b /out/tool /bin/',
    ],
    ['TlsVerificationOff', '-fsSLk', 'FROM debian:12\nRUN curl -fsSLk https://x.test'],
  ]

  test.each(places)('%s: %j', (rule, words, text) => {
    const tree = parseDockerfile({ name: 'Dockerfile', text })
    const found = lintWithRules(tree, defaultLintSettings).filter(({ code }) => code === rule)
    expect(found.map(({ at }) => text.slice(at?.span.start, at?.span.end))).toEqual([words])
  })

  /** Files about which a rule must not speak. */
  const silent: readonly (readonly [rule: string, text: string])[] = [
    ['NoSudo', 'FROM debian:12\nRUN <<EOF python3\nsudo = 1\nEOF'],
    ['NoSudo', 'FROM debian:12\nRUN <<EOF\n#!/usr/bin/env python3\nsudo = 1\nEOF'],
    ['NoSudo', 'FROM debian:12\nRUN echo "sudo make" # sudo make'],
    ['PinAptVersions', 'FROM debian:12\n# hadolint ignore=DL3008\nRUN apt-get install -y curl'],
    ['PinAptVersions', 'FROM debian:12\n# slipway ignore=PinAptVersions\nRUN apt-get install -y curl'],
    ['PinAptVersions', '# hadolint global ignore=DL3008,DL3009\nFROM debian:12\nRUN apt-get install -y curl'],
    ['PinAptVersions', '# check=skip=PinAptVersions\nFROM debian:12\nRUN apt-get install -y curl'],
    ['UseWorkdir', 'FROM debian:12\nRUN (cd /x && make)'],
    ['WrongLibc', 'FROM golang:1.23-alpine AS b\nRUN go build -o /app\nFROM alpine:3.20\nCOPY --from=b /app /app'],
    ['WrongLibc', 'FROM node:22 AS b\nRUN make\nFROM nginx:alpine\nCOPY --from=b /app/dist /usr/share/nginx/html'],
    [
      'WrongLibc',
      'FROM rust:1.80 AS b\nRUN cargo build --release --target x86_64-unknown-linux-musl\nFROM scratch\nCOPY --from=b /out/tool /',
    ],
    ['RootAtEnd', 'FROM debian:12 AS base\nUSER app\nFROM base\nCMD ["x"]'],
    ['ApkNoCache', 'FROM alpine:3.20\nRUN --mount=type=cache,target=/etc/apk/cache apk add x=1'],
    [
      'AptCleanLists',
      'FROM debian:12\nRUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y x=1',
    ],
    [
      'CopyAllBeforeInstall',
      'FROM node:22\nWORKDIR /a\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build',
    ],
  ]

  test.each(silent)('%s is silent: %j', (rule, text) => {
    const tree = parseDockerfile({ name: 'Dockerfile', text })
    expect(lintWithRules(tree, defaultLintSettings).map(({ code }) => code)).not.toContain(rule)
  })
})
