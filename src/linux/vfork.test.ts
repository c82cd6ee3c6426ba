import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { keepInheritedFiles } from './inherited-files.ts'
import { type ProcessEnd, type ProcessSpec, vfork } from './vfork.ts'

const calls = vfork()
const folder = mkdtempSync(join(tmpdir(), 'vfork-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(calls === undefined)(
  'starting a process (needs a C library with posix_spawn and its extensions)',
  () => {
    const output = join(folder, 'output')

    async function run(script: string, more: Partial<ProcessSpec> = {}): Promise<{ end: ProcessEnd; text: string }> {
      const files = [openSync('/dev/null', 'r'), openSync(output, 'w')]
      // Standard error is the same file.
      const spec = { file: '/bin/sh', argv: ['sh', '-c', script], env: [], cwd: folder, ...more }
      try {
        const pid = calls?.start({ ...spec, files: [...files, files[1] ?? -1] }) ?? 0
        for (;;) {
          const end = calls?.reap(pid)
          if (end !== undefined) return { end, text: readFileSync(output, 'utf8') }
          await sleep(1)
        }
      } finally {
        files.forEach(closeSync)
      }
    }

    test('its words, variables, directory, files, and exit code', async () => {
      const argv = ['/bin/sh', '-c', 'pwd; echo "$0 $1|$A"; echo err >&2; exit 7', 'nüll', 'a b']
      const { end, text } = await run('', { argv, env: ['A=x\ny', 'PATH=/bin'] })
      expect([end, text]).toEqual([{ code: 7 }, `${folder}\nnüll a b|x\ny\nerr\n`])
    })

    test('it has no other files of ours', async () => {
      keepInheritedFiles()
      const { text } = await run('exec ls /proc/self/fd', { env: ['PATH=/bin:/usr/bin'] })
      // The last one is that of the listing.
      expect(text).toBe('0\n1\n2\n3\n')
    })

    test('descriptors of ours with low numbers, in any order', async () => {
      const result = openSync(output, 'w')
      const isOurs = (fd: number, ours: number): string => `[ /proc/$$/fd/${fd} -ef /proc/${process.pid}/fd/${ours} ]`
      const script = `${isOurs(1, 2)} && ${isOurs(2, 1)} && right=yes; echo "$right" >&3`
      const spec = { file: '/bin/sh', argv: ['sh', '-c', script], env: ['PATH=/bin:/usr/bin'], cwd: folder }
      const pid = calls?.start({ ...spec, files: [0, 2, 1, result] }) ?? 0
      closeSync(result)
      while (calls?.reap(pid) === undefined) await sleep(1)
      expect(readFileSync(output, 'utf8')).toBe('yes\n')
    })

    test('a session of its own, and no signal ignored or blocked', async () => {
      const session = 'read -r _ _ _ _ _ session _ </proc/self/stat; [ "$session" = $$ ] && echo own'
      expect((await run(session)).text).toBe('own\n')
      const { text } = await run('exec cat /proc/self/status', { env: ['PATH=/bin:/usr/bin'] })
      expect(text.match(/^Sig(Blk|Ign):\t0*$/gm)).toHaveLength(2)
    })

    test('the end by a signal', async () => {
      expect((await run('kill -TERM $$')).end).toEqual({ signal: 15 })
    })

    test.each([
      ['no such program', { file: '/nowhere/program' }, 'ENOENT'],
      ['a word of a mebibyte', { argv: ['sh', '-c', `: ${'x'.repeat(1 << 20)}`] }, 'E2BIG'],
      ['no such directory', { cwd: '/nowhere' }, 'ENOENT'],
    ])('%s', async (_, more, code) => {
      await expect(run('', more)).rejects.toMatchObject({ code })
    })

    test('more words than fit into the stack of a call', async () => {
      const argv = ['sh', '-c', 'echo $#', 'sh', ...Array.from({ length: 20_000 }, () => 'x'.repeat(60))]
      expect((await run('', { argv })).text).toBe('20000\n')
    })
  },
)
