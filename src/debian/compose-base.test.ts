import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openHttp } from '#http'
import { packLayer } from '#layer'
import { findHostTools, planSandbox, runSandbox } from '#linux'
import { composeBase } from './compose-base.ts'
import type { ComposedBase } from './compose-options.ts'
import { readHostApt } from './host-apt.ts'
import { type BaseLock, formatLock, lockInputs, parseLock } from './lock/base-lock.ts'
import { readBaseFile } from './read-base-file.ts'
import { selectRepositories } from './select-repositories.ts'

const spec = (more = ''): ReturnType<typeof readBaseFile> =>
  readBaseFile({ name: 'base.yaml', text: `suite: bookworm\n${more}` })

/** Why nothing can be composed here, or nothing. */
async function obstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'not root'
  if (spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']).status !== 0) return 'no namespaces'
  try {
    const host = readHostApt('/')
    const mirror = process.env['SLIPWAY_DEBIAN_MIRROR']
    const [first] = selectRepositories(spec(), { directory: '/', mirror, host, architecture: 'amd64' })
    await using http = openHttp({
      env: process.env,
      retry: { attempts: 1 },
      timeouts: { connect: 3000, headers: 5000 },
    })
    const response = await http.request({ url: `${first?.uri}/dists/bookworm/InRelease` })
    await response.discard()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const reason = await obstacle()

describe.skipIf(reason !== undefined)(`a base from a real mirror${reason ? ` (skipped: ${reason})` : ''}`, () => {
  const directory = mkdtempSync(join(scratchPlace(), 'slipway-base-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  async function compose(name: string, more: string, lock?: BaseLock): Promise<ComposedBase> {
    const target = join(directory, name)
    mkdirSync(target)
    mkdirSync(join(directory, 'scratch'), { recursive: true })
    return composeBase(spec(more), {
      target,
      cacheDirectory: join(directory, 'cache'),
      scratch: join(directory, 'scratch'),
      directory: '/',
      env: process.env,
      ...(lock && { lock }),
    })
  }

  async function run(root: string, argv: readonly string[]): Promise<string> {
    const scratch = mkdtempSync(join(directory, 'run-'))
    for (const path of ['etc/hosts', 'etc/resolv.conf']) writeFileSync(join(directory, root, path), '')
    const host = findHostTools(process.env['PATH'])
    const chunks: Uint8Array[] = []
    const plan = planSandbox(
      {
        root: { kind: 'directory', path: join(directory, root) },
        mounts: [],
        argv,
        env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'DEBIAN_FRONTEND=noninteractive'],
        workdir: '/',
        user: { uid: 0, gid: 0, groups: [] },
        hostname: 'base',
        network: 'host',
        privileges: 'sandbox',
        hosts: readFileSync('/etc/hosts', 'utf8'),
        resolvConf: readFileSync('/etc/resolv.conf', 'utf8'),
        scratch,
        stdio: 'pipe',
      },
      host,
    )
    const { exitCode } = await runSandbox(plan, { onOutput: (_stream, chunk) => chunks.push(chunk) })
    const output = Buffer.concat(chunks).toString('utf8')
    expect(exitCode, output).toBe(0)
    return output
  }

  const script = (...lines: readonly string[]): readonly string[] => ['/bin/sh', '-ec', lines.join('\n')]

  let base: ComposedBase
  beforeAll(async () => {
    base = await compose('one', settings)
  })

  test('has its packages and says so', () => {
    const names = base.locked.packages.map(item => item.name)
    expect(names).toEqual(expect.arrayContaining(['apt', 'base-files', 'bash', 'dpkg', 'libc6', 'make', 'tzdata']))
    expect(names).not.toContain('usrmerge')
    expect(base.config.Env).toEqual([
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'LANG=C.UTF-8',
    ])
    expect(base.locked.packages.every(item => item.size > 0 && /^[0-9a-f]{64}$/.test(item.sha256))).toBe(true)
    const status = readFileSync(join(directory, 'one/var/lib/dpkg/status'), 'utf8')
    expect(status.match(/^Status: install ok installed$/gm)).toHaveLength(names.length)
  })

  test('leaves nothing of this run behind', () => {
    const at = (path: string): string[] => readdirSync(join(directory, 'one', path))
    expect(at('tmp')).toEqual([])
    expect(at('run')).toEqual(['lock'])
    expect(at('usr/sbin')).not.toContain('policy-rc.d')
    expect(at('etc')).not.toContain('resolv.conf')
    expect(at('var/lib/dpkg').filter(name => /-old$|lock|slipway|tmp/.test(name))).toEqual([])
    expect(readdirSync(join(directory, 'scratch'))).toEqual([])
  })

  test('another one, made of what a lock says of the first, is the same', async () => {
    const lock = { inputs: lockInputs(spec(settings)), systems: [base.locked] }
    const { locked } = await compose('two', settings, parseLock({ name: 'lock', text: formatLock(lock) }))
    expect(locked).toEqual(base.locked)
    expect(treeOf(join(directory, 'two'), true)).toEqual(treeOf(join(directory, 'one'), true))
  })

  test.skipIf(spawnSync('mmdebstrap', ['--version']).status !== 0)(
    'is what mmdebstrap makes, but for a few files (needs mmdebstrap)',
    { timeout: 600_000 },
    () => {
      const hook = '--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr'
      const other = join(directory, 'other')
      const sources = join(directory, 'two/etc/apt/sources.list')
      const made = `--customize-hook=chroot "$1" sh -e <${join(directory, 'settings.sh')}`
      writeFileSync(join(directory, 'settings.sh'), settingsScript)
      const words = ['--variant=minbase', '--include=make', hook, made, 'bookworm', other, sources]
      const { status, stderr } = spawnSync('mmdebstrap', ['-q', ...words], { encoding: 'utf8' })
      expect(status, stderr).toBe(0)
      const ours = treeOf(join(directory, 'two'), false)
      const theirs = treeOf(other, false)
      const differing = [...new Set([...ours.keys(), ...theirs.keys()])]
        .filter(path => ours.get(path) !== theirs.get(path))
        .filter(path => !expected.some(pattern => pattern.test(path)))
      expect(differing).toEqual([])
    },
  )

  test('dpkg and apt work inside', async () => {
    const output = await run(
      'one',
      script(
        'dpkg --audit; dpkg --verify; apt-get check >/dev/null; echo clean',
        'apt-get update >/dev/null',
        'apt-get install -y --no-install-recommends hello >/dev/null 2>&1',
        'hello; make --version | head -n 1',
      ),
    )
    expect(output).toMatch(/^clean\nHello, world!\nGNU Make 4/)
  })

  test('the ready base of Java draws, knows time zones and authorities, and listens', async () => {
    const text = readFileSync(new URL('../../bases/jre.yaml', import.meta.url), 'utf8')
    const [made, root] = ['java-files', 'java'].map(name => join(directory, name)) as [string, string]
    for (const path of [made, root]) mkdirSync(path)
    const { system, warnings } = await composeBase(readBaseFile({ name: 'jre.yaml', text }), {
      target: made,
      cacheDirectory: join(directory, 'cache'),
      scratch: join(directory, 'scratch'),
      directory: '/',
      env: process.env,
    })
    expect(warnings).toEqual([])
    if (system.kind !== 'entries') throw new Error('a minimal base has entries')
    const archive = join(directory, 'java.tar')
    await packLayer(system.entries, async bytes => appendFileSync(archive, bytes))
    expect(spawnSync('tar', ['-xpf', archive, '-C', root, '--numeric-owner']).status).toBe(0)
    writeFileSync(join(root, 'Main.java'), javaProgram)
    const output = await run('java', ['/usr/bin/java', '/Main.java'])
    expect(output).toBe('text drawn\nEurope/Berlin\nauthorities known\nlistening\n')
  })
})

/** Uses what needs more than the virtual machine: fonts and images, time zones, the store of certificates, the network. */
const javaProgram = `
import java.awt.*; import java.awt.image.*; import java.io.*; import java.net.*; import java.security.KeyStore; import java.time.*;
import javax.imageio.*; import javax.net.ssl.*;
public class Main {
  public static void main(String[] words) throws Exception {
    var image = new BufferedImage(200, 60, BufferedImage.TYPE_INT_RGB);
    var graphics = image.createGraphics();
    graphics.setFont(new Font("DejaVu Sans", Font.BOLD, 24));
    graphics.drawString("Hello", 10, 40);
    int lit = 0;
    for (int x = 0; x < 200; x++) for (int y = 0; y < 60; y++) if ((image.getRGB(x, y) & 255) > 0) lit++;
    var jpeg = new ByteArrayOutputStream();
    System.out.println(lit > 100 && ImageIO.write(image, "jpg", jpeg) && jpeg.size() > 100 ? "text drawn" : "nothing drawn");
    System.out.println(ZonedDateTime.now(ZoneId.of("Europe/Berlin")).getZone());
    var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init((KeyStore) null);
    int authorities = ((X509TrustManager) trust.getTrustManagers()[0]).getAcceptedIssuers().length;
    System.out.println(authorities > 50 ? "authorities known" : "no authorities");
    try (var socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) { System.out.println("listening"); }
  }
}
`

/** Main memory where it has room for three systems and programs may be run from it; dpkg waits for a disk a lot. */
function scratchPlace(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    const mount = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .find(line => line.split(' ')[4] === '/dev/shm')
    if (bavail * bsize > 2 ** 31 && mount !== undefined && !mount.includes('noexec')) return '/dev/shm'
  } catch {
    // A disk, then.
  }
  return tmpdir()
}

const settings = `packages: [make]
env: {LANG: C.UTF-8}
alternatives: {awk: /usr/bin/mawk}
timezone: Europe/Berlin
groups:
  - {name: shared, gid: 2000}
users:
  - {name: app, uid: 10001, home: /home/app, shell: /bin/bash, groups: [shared], comment: The app}
directories:
  - {path: /data, mode: 0750, owner: "app:shared"}
files:
  - {path: /etc/app.conf, content: "x=1\\n", mode: 0600, owner: app}
links:
  - {path: /usr/local/bin/build, target: /usr/bin/make}
`

/** The same with the tools of a system. */
const settingsScript = `
update-alternatives --set awk /usr/bin/mawk
ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime
echo Europe/Berlin >/etc/timezone
groupadd -g 2000 shared
groupadd -g 10001 app
useradd -u 10001 -g app -G shared -d /home/app -M -s /bin/bash -c 'The app' app
install -d -m 700 -o app -g app /home/app
install -d -m 750 -o app -g shared /data
echo x=1 >/etc/app.conf
chown app:app /etc/app.conf
chmod 600 /etc/app.conf
ln -s /usr/bin/make /usr/local/bin/build
`

/**
 * Files in which a base may differ from what mmdebstrap makes: devices, the host's names, locks and backups, the day, which packages
 * are there for others, and ranges of ids for containers of users, which useradd gives and an image has no use for.
 */
const expected = [
  /^dev\//,
  /^etc\/(\.pwd\.lock|fstab|hostname|resolv\.conf)$/,
  /^etc\/(group|passwd|shadow|gshadow)-$/,
  /^etc\/sub[ug]id-?$/,
  /^etc\/shadow$/,
  /^etc\/apt\/sources\.list(\.d\/0000sources\.list)?$/,
  /^var\/cache\/apt\/archives\/(lock|partial)$/,
  /^var\/cache\/debconf\/\w+\.dat-old$/,
  /^var\/lib\/apt\/(extended_states|lists\/(lock|partial))$/,
  /^var\/lib\/dpkg\/(lock(-frontend)?|triggers\/Lock|\w+-old)$/,
]

/** Path → everything that an archive would hold of it. */
function treeOf(root: string, times: boolean): Map<string, string> {
  const tree = new Map<string, string>()
  const walk = (directory: string): void => {
    for (const name of readdirSync(join(root, directory)).sort()) {
      const path = join(directory, name)
      const at = join(root, path)
      const found = lstatSync(at)
      const content = found.isSymbolicLink() ? readlinkSync(at) : found.isFile() ? readFileSync(at, 'latin1') : ''
      tree.set(path, [found.mode, found.uid, found.gid, times ? found.mtimeMs : '', content].join(' '))
      if (found.isDirectory()) walk(path)
    }
  }
  walk('')
  return tree
}
