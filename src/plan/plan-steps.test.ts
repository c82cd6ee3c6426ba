import { describe, expect, test } from 'vitest'
import type { ResolvedImage } from './build-plan.ts'
import { copy, failure, planned, resolved, run } from '../../test/planned.ts'

describe('5, 11 RUN', () => {
  test('5.7 a single heredoc is the script', async () => {
    expect((await run('FROM scratch\nRUN <<E\necho $x\nE')).argv).toEqual(['/bin/sh', '-c', 'echo $x\n'])
    expect((await run("FROM scratch\nRUN <<-'E'\n\t\techo\n\tE")).argv).toEqual(['/bin/sh', '-c', 'echo\n'])
    const step = await run('FROM scratch\nRUN <<S.py\n#!/usr/bin/python\nx\nS.py')
    expect(step).toMatchObject({ argv: ['/dev/pipes/S.py'], script: { name: 'S.py', body: '#!/usr/bin/python\nx\n' } })
  })

  test('5.8 anything else is given to the shell with its bodies', async () => {
    const step = await run('FROM scratch\nRUN cat <<-A && cat <<B\n\ta\n\tA\nb\nB')
    expect(step.argv).toEqual(['/bin/sh', '-c', 'cat <<-A && cat <<B\n\ta\nA\nb\nB'])
    expect((await run('FROM scratch\nRUN <<E bash\nx\nE')).argv.at(-1)).toBe('<<E bash\nx\nE')
  })

  test('11.1, 11.2 flags and forms', async () => {
    expect(
      await run('FROM scratch\nWORKDIR /w/x/..\nUSER 1:2\nRUN --network=none --security=insecure ["a", "b c"]', {
        allow: new Set(['security.insecure']),
      }),
    ).toMatchObject({
      argv: ['a', 'b c'],
      network: 'none',
      security: 'insecure',
      workdir: '/w',
      user: '1:2',
    })
    expect((await failure('FROM scratch\nRUN --device=x y'))[0]).toBe('RUN --device is not supported')
    expect((await failure('FROM --platform=windows/amd64 x\nRUN y'))[0]).toBe('RUN cannot be executed for windows')
  })

  const mounts = async (mount: string): Promise<readonly unknown[]> =>
    (await run(`FROM scratch AS s\nFROM scratch\nENV T=/t\nWORKDIR /w\nRUN ${mount} x`)).mounts.map(mount =>
      Object.fromEntries(Object.entries(mount).filter(([key]) => key !== 'place')),
    )

  test.each([
    ['--mount=target=/a', { type: 'bind', target: '/a', from: { kind: 'context' }, source: '/', writable: false }],
    ['--mount=dst=a/../b,src=../x,rw', { type: 'bind', target: '/w/b', source: '/x', writable: true }],
    ['--mount=Type=bind,Destination=$T,readonly=false', { type: 'bind', target: '/t', writable: true }],
    ['--mount=target=/a,ro,rw', { writable: true }],
    ['--mount=from=s,target=/a', { from: { kind: 'stage', stage: 0 } }],
    [
      '--mount=type=cache,target=c/',
      { type: 'cache', target: '/w/c', id: '/w/c', idGiven: false, sharing: 'shared', source: '/', readonly: false },
    ],
    [
      '--mount=type=cache,target=/c,id=i,sharing=LOCKED,from=s,source=q,mode=700,uid=1,gid=2,ro',
      { id: 'i', idGiven: true, sharing: 'locked', source: '/q', mode: 0o700, uid: 1, gid: 2, readonly: true },
    ],
    ['--mount=type=tmpfs,target=/t,size=64m', { type: 'tmpfs', target: '/t', size: 64 << 20 }],
    ['--mount=type=tmpfs,target=/t,size=100', { size: 100 }],
    [
      '--mount=type=secret,id=a/b',
      { type: 'secret', id: 'a/b', target: '/run/secrets/b', required: false, mode: 0o400, uid: 0 },
    ],
    ['--mount=type=secret,target=/k/f', { id: 'f', target: '/k/f' }],
    ['--mount=type=secret,src=q,required,mode=0444,uid=5', { id: 'q', required: true, mode: 0o444, uid: 5 }],
    [
      '--mount=type=ssh',
      { type: 'ssh', id: 'default', target: '/run/buildkit/ssh_agent.0', mode: 0o600, required: false },
    ],
    ['--mount="target=/a,source=b"', { target: '/a', source: '/b' }],
  ])('11.9 %s', async (flag, expected) => {
    expect(await mounts(flag)).toMatchObject([expected])
  })

  test('11.9 a secret as a variable has no file unless it is asked for', async () => {
    expect((await mounts('--mount=type=secret,id=a,env=A'))[0]).not.toHaveProperty('target')
    expect((await mounts('--mount=type=secret,id=a,env=A,target=/f'))[0]).toMatchObject({ env: 'A', target: '/f' })
  })

  test.each([
    ['type=bnd,target=/a', 'unsupported mount type "bnd"', 'type=bnd'],
    ['tagret=/a', 'unexpected key "tagret" for a mount of type bind', 'tagret=/a'],
    ['target', '"target" in --mount must be a key=value pair', 'target'],
    ['target=/', 'invalid mount target "/"', 'target=/'],
    ['target=/a,mode=1', 'unexpected key "mode" for a mount of type bind', 'mode=1'],
    ['target=/a,required', 'unexpected key "required" for a mount of type bind', 'required'],
    ['target=/a,ro=maybe', 'invalid value "maybe" for readonly', 'ro=maybe'],
    ['type=cache,target=/a,sharing=all', 'invalid value "all" for sharing', 'sharing=all'],
    ['type=cache,target=/a,mode=9', 'invalid value "9" for mode', 'mode=9'],
    ['type=cache,target=/a,uid=x', 'invalid value "x" for uid', 'uid=x'],
    ['type=tmpfs,target=/a,size=x', 'invalid value "x" for size', 'size=x'],
    ['type=tmpfs,target=/a,from=s', 'unexpected key "from" for a mount of type tmpfs', 'from=s'],
    ['type=secret', 'a secret mount needs an id or a target', 'type=secret'],
    ['type=secret,id=a,source=b', 'invalid value "b" for source', 'source=b'],
    ['type=secret,id=a,from=s', 'unexpected key "from" for a mount of type secret', 'from=s'],
    ['type=secret,id=a,sharing=shared', 'unexpected key "sharing" for a mount of type secret', 'sharing=shared'],
  ])('11.9 error: %s', async (mount, message, words) => {
    expect(await failure(`FROM scratch AS s\nFROM scratch\nRUN --mount=${mount} x`)).toEqual([message, words])
  })

  test('6.11 --from and --mount=from may use global ARGs', async () => {
    const text =
      'ARG S=dep N=0\nFROM scratch AS dep\nFROM scratch\nCOPY --from=$S a /\nCOPY --from=${N} b /\nRUN --mount=from=$S,target=/x y'
    const { stage } = await planned(text)
    const ref = { kind: 'stage', stage: 0 }
    expect(stage.steps).toMatchObject([{ from: ref }, { from: ref }, { mounts: [{ from: ref }] }])
    expect(await failure('FROM scratch\nARG S=1\nCOPY --from=$S a /')).toEqual([
      '--from uses $S, which is not a global ARG with a value',
      '$S',
    ])
  })
})

describe('12 COPY and ADD', () => {
  test('5.6 heredoc files are expanded unless the delimiter is quoted', async () => {
    const text = `FROM scratch\nENV V=v\nCOPY <<A <<'B' <<-C /x/\n"$V" \\$V\nA\n$V\nB\n\t$V\n\tC\n`
    expect((await copy(text)).sources.map(source => source.kind === 'inline' && [source.name, source.body])).toEqual([
      ['A', '"v" $V\n'],
      ['B', '$V\n'],
      ['C', 'v\n'],
    ])
    expect((await failure('FROM scratch\nCOPY <<a/b /x\na/b'))[1]).toBe('<<a/b')
  })

  test.each([
    ['../f', { path: 'f', wildcard: false }],
    ['/a/../../b/', { path: 'b', wildcard: false }],
    ['.', { path: '.', wildcard: false }],
    ['a*', { path: 'a*', wildcard: true }],
    ['"a b"', { path: 'a b', wildcard: false }],
  ])('12.2 source %s', async (text, expected) => {
    expect((await copy(`FROM scratch\nCOPY ["${text.replaceAll('"', '\\"')}", "/"]`)).sources).toMatchObject([expected])
  })

  test('12.17 the pivot of --parents is kept', async () => {
    expect((await copy('FROM scratch\nCOPY --parents /a/./b/../c /x/')).sources).toMatchObject([{ path: 'a/./c' }])
  })

  test.each([
    ['/d', { path: '/d', directory: false }],
    ['/d/', { path: '/d', directory: true }],
    ['/d/.', { path: '/d', directory: true }],
    ['.', { path: '/w', directory: true }],
    ['./', { path: '/w', directory: true }],
    ['d', { path: '/w/d', directory: false }],
    ['../../d', { path: '/d', directory: false }],
    ['/', { path: '/', directory: true }],
    ['/d.', { path: '/d.', directory: false }],
    ['$NO', { path: '/w', directory: true }],
  ])('12.5 destination %s', async (text, expected) => {
    expect((await copy(`FROM scratch\nWORKDIR /w\nCOPY a ${text}`)).destination).toMatchObject(expected)
  })

  test.each([
    ['0', 0],
    ['7777', 0o7777],
    ['00644', 0o644],
  ])('12.14 --chmod=%s', async (text, mode) => {
    expect((await copy(`FROM scratch\nCOPY --chmod=${text} a b`)).chmod).toEqual({ kind: 'octal', mode })
  })

  test.each(['u=rwX,go=rX', '+x', 'g=u', 'a-w,u+s'])('12.14 --chmod=%s', async text => {
    expect((await copy(`FROM scratch\nCOPY --chmod=${text} a b`)).chmod).toEqual({ kind: 'symbolic', text })
  })

  test.each(['8', '10000', 'u', 'x=r', 'u=rwx,', '-1'])('12.14 --chmod=%s is an error', async text => {
    expect(await failure(`FROM scratch\nCOPY --chmod=${text} a b`)).toEqual([`invalid --chmod=${text}`, text])
  })

  test.each([
    ['https://h/f.tar.gz', 'url'],
    ['http://h/x.git/y', 'url'],
    ['https://h/r.git', 'git'],
    ['https://h/r.git#main:sub', 'git'],
    ['https://h/r.git?ref=v1', 'git'],
    ['git@h:o/r', 'git'],
    ['ssh://git@h/r', 'git'],
    ['git://h/r', 'git'],
    ['github.com/o/r', 'path'],
    ['a@b', 'path'],
    ['c:d', 'path'],
  ])('12.20, 12.21 ADD %s is a %s', async (text, kind) => {
    expect((await copy(`FROM scratch\nADD ${text} /x/`)).sources).toMatchObject([{ kind }])
    if (kind !== 'path') expect((await failure(`FROM scratch\nCOPY ${text} /x/`))[1]).toBe(text)
  })

  const sum = `sha256:${'a'.repeat(64)}`
  test.each([
    [`ADD --checksum=${sum} a /x`, '--checksum needs a URL or a git repository as source'],
    [`ADD --checksum=${sum} https://h/a https://h/b /x/`, '--checksum can be given for one source only'],
    ['ADD --checksum=md5:1 https://h/a /x/', 'invalid --checksum=md5:1'],
    ['ADD --keep-git-dir https://h/a /x/', '--keep-git-dir needs a git repository as source'],
  ])('12.20 %s', async (text, message) => {
    expect((await failure(`FROM scratch\n${text}`))[0]).toBe(message)
  })

  test('12.22 --from an image, scratch, a named context', async () => {
    const namedContexts = new Map([
      ['ctx', 'files'],
      ['docker.io/library/img', 'image'],
      ['scratch', 'files'],
    ] as const)
    const resolveContext = async (name: string): Promise<ResolvedImage> => resolved(`context:${name}`, {})
    const text =
      'FROM scratch\nCOPY --from=x:1 a /\nCOPY --from=scratch a /\nCOPY --from=CTX a /\nCOPY --from=img:latest a /\nADD a /'
    const { stage, asked } = await planned(text, { namedContexts, resolveContext })
    expect(stage.steps.map(step => step.kind === 'copy' && step.from)).toMatchObject([
      { kind: 'image', image: { reference: 'docker.io/library/x:1' } },
      { kind: 'empty' },
      { kind: 'named-context', name: 'ctx' },
      { kind: 'image', image: { reference: 'context:docker.io/library/img' } },
      { kind: 'context' },
    ])
    expect(asked).toHaveLength(1)
  })
})
