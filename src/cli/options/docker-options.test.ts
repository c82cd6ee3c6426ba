import { Command } from 'commander'
import { expect, test } from 'vitest'
import { plainBooleanFlags } from '../boolean-flags.ts'
import { addDockerOptions } from './docker-options.ts'

/** What is left of a command line `build ARGS .` when its options are taken; throws what is refused. */
function operands(...args: readonly string[]): string[] {
  const command = new Command('build').argument('<path>').exitOverride()
  addDockerOptions(command)
  return command.parse(plainBooleanFlags(command, [...args, '.'], { passThrough: false }), { from: 'user' }).args
}

test.each(
  [
    '--rm',
    '--rm=true',
    '--force-rm',
    '--force-rm=false',
    '--compress',
    '--squash=false',
    '--disable-content-trust',
    '--isolation default',
    '--isolation=',
    '--provenance=false',
    '--provenance false',
    '--sbom=0',
    '--attest=type=sbom,disabled=true',
    '--builder default',
    '--debug=false',
    '--rm --force-rm --provenance=false --sbom=false',
  ].map(text => [text] as const),
)('15.1 %s says what happens anyway', text => {
  expect(operands(...text.split(' '))).toEqual(['.'])
})

test.each([
  ['--rm=false', 'no intermediate containers'],
  ['--squash', 'FROM scratch, then COPY --from=STAGE / /'],
  ['--disable-content-trust=false', 'signatures'],
  ['--isolation hyperv', 'Windows'],
  ['--builder remote', 'no builders'],
  ['-m 2g', 'systemd-run'],
  ['--memory=2g', 'systemd-run'],
  ['--memory-swap -1', 'systemd-run'],
  ['-c 512', 'systemd-run'],
  ['--cpu-period=1', 'systemd-run'],
  ['--cpu-quota=1', 'systemd-run'],
  ['--cgroup-parent x', 'systemd-run'],
  ['--resource memory=1g', 'systemd-run'],
  ['--cpuset-cpus=0,1', 'taskset'],
  ['--cpuset-mems=0', 'taskset'],
  ['--security-opt label=disable', '--allow security.insecure'],
  ['--policy reset=true', 'policies'],
  ['-D', '--explain'],
  ['--debug', '--explain'],
  ['--print=outline', '--call outline'],
  ['--rm=perhaps', 'write --rm=true or --rm=false'],
  ['--compress=perhaps', 'write --compress=true'],
])('15.1 %s is refused, and what to do instead is said', (text, said) => {
  expect(refusalOf(text)).toContain(said)
})

test.each([
  ['--provenance=mode=max', 'no attestations'],
  ['--provenance true', 'no attestations'],
  ['--sbom=true', '--sbom=false'],
  ['--attest type=provenance,mode=min', 'no attestations'],
])('15.6 %s is refused: nobody gets less than was asked for', (text, said) => {
  expect(refusalOf(text)).toContain(said)
})

/** Message and hint of a wrong usage. */
function refusalOf(text: string): string {
  let error: unknown
  try {
    operands(...text.split(' '))
  } catch (thrown) {
    error = thrown
  }
  expect(error).toMatchObject({ name: 'UserError', exitCode: 2 })
  const { message, hint } = error as { readonly message: string; readonly hint: string }
  return `${message}\n${hint}`
}
