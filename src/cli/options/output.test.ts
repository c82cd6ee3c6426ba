import { expect, test } from 'vitest'
import { UserError } from '#diagnostics'
import { type OutputOption, parseOutput } from './output.ts'

test.each<[text: string, output: OutputOption]>([
  ['out', { type: 'local', destination: 'out' }],
  ['./out dir', { type: 'local', destination: './out dir' }],
  ['-', { type: 'tar', destination: '-' }],
  ['type=local,dest=out', { type: 'local', destination: 'out' }],
  ['type=oci,dest=a.tar', { type: 'oci', destination: 'a.tar', tar: true, compression: 'gzip' }],
  ['type=oci,tar=false,dest=d', { type: 'oci', destination: 'd', tar: false, compression: 'gzip' }],
  [
    'type=oci,compression=zstd,compression-level=3',
    { type: 'oci', destination: '-', tar: true, compression: 'zstd', level: 3 },
  ],
  ['type=oci,compression=uncompressed', { type: 'oci', destination: '-', tar: true, compression: 'none' }],
  ['dest=a.tar,type=docker', { type: 'docker', destination: 'a.tar' }],
  ['type=tar', { type: 'tar', destination: '-' }],
  ['type=docker,dest=-', { type: 'docker', destination: '-' }],
  ['Type=tar, DEST=x', { type: 'tar', destination: 'x' }],
  ['type=tar,dest=a=b', { type: 'tar', destination: 'a=b' }],
  ['type=tar,"dest=a,b"', { type: 'tar', destination: 'a,b' }],
  ['type=tar,"dest=say ""hi"""', { type: 'tar', destination: 'say "hi"' }],
  [
    'type=registry',
    { type: 'registry', destination: 'the registry', names: [], packing: { compression: 'gzip' }, format: 'oci' },
  ],
  [
    'type=image,push=true,"name=localhost:5000/a:1,localhost:5000/b",compression=zstd,compression-level=9,force-compression=true,oci-mediatypes=false',
    {
      type: 'registry',
      destination: 'localhost:5000/a:1,localhost:5000/b',
      names: [
        { domain: 'localhost:5000', path: 'a', tag: '1' },
        { domain: 'localhost:5000', path: 'b', tag: 'latest' },
      ],
      packing: { compression: 'zstd', level: 9, force: true },
      format: 'docker',
    },
  ],
])('%s', (text, output) => {
  expect(parseOutput(text)).toEqual(output)
})

test.each<[text: string, message: RegExp, hint: RegExp]>([
  ['', /not of the form key=value/, /type=oci/],
  ['type=dockr', /unknown type "dockr"/, /did you mean "docker"/],
  ['type=image', /local store/, /-t NAME/],
  ['type=image,push=no', /invalid value "no" for "push"/, /push=true/],
  ['type=registry,name=A', /lower case/, /reference/],
  ['type=registry,name=a/b,compression=zstd,compression-level=23', /invalid compression level/, /0 to 22/],
  ['dest=x', /no type/, /type=oci/],
  ['type=local', /no destination/, /dest=PATH/],
  ['type=tar,dest=', /no destination/, /dest=PATH/],
  ['type=local,dest=-', /standard output/, /type=tar/],
  ['type=tar,dst=x', /unknown key "dst"/, /did you mean "dest"/],
  ['type=tar,compression=zstd', /unknown key "compression"/, /type, dest/],
  ['type=oci,tar=false', /no destination/, /dest=PATH/],
  ['type=oci,tar=no', /invalid value "no"/, /tar=false/],
  ['type=oci,compression=gzp', /unknown compression "gzp"/, /did you mean "gzip"/],
  ['type=oci,compression-level=10', /invalid compression level/, /0 to 9/],
  ['type=tar,type=oci', /given twice/, /once/],
  ['type=tar,"dest=x', /invalid value/, /quote/],
  ['type=tar,x', /"x" is not of the form/, /key|directory/],
])('%s is wrong usage', (text, message, hint) => {
  let error: unknown
  try {
    parseOutput(text)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(UserError)
  const { message: said, hint: hinted, exitCode } = error as UserError
  expect(said).toMatch(message)
  expect(hinted).toMatch(hint)
  expect(exitCode).toBe(2)
})
