import { readFileSync } from 'node:fs'
import type { PublicKey } from 'openpgp'
import { UserError } from '#diagnostics'
import type { Trust } from './select-repositories.ts'

/**
 * The signed text of an InRelease file (RFC 9580, section 7): what a key of the keyrings has signed, nothing before or after it.
 * `name` is how errors call it. Throws a `UserError` for a missing, unreadable or unknown key and for a bad signature.
 */
export async function verifyRelease(inRelease: string, trust: Trust, name: string): Promise<string> {
  if (trust.kind === 'unverified') return withoutSignature(inRelease)
  const { readCleartextMessage, verify } = await import('openpgp')
  const verificationKeys = await readTrusted(trust)
  const message = await readCleartextMessage({ cleartextMessage: inRelease }).catch((cause: unknown) => {
    throw new UserError(`${name} is not a signed InRelease file`, {
      hint: 'check the address of the mirror; something else answers there, perhaps a login page',
      cause,
    })
  })
  const { signatures } = await verify({ message, verificationKeys })
  const problems: string[] = []
  for (const { keyID, verified } of signatures) {
    try {
      await verified
      return message.getText()
    } catch (error) {
      problems.push(`key ${keyID.toHex().toUpperCase()}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new UserError(`the signature of ${name} is not valid`, {
    hint: 'name the right keyring in the base file ("keyring: …"), or update the package debian-archive-keyring',
    details: problems,
  })
}

function withoutSignature(text: string): string {
  const match = /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:.+\r?\n)*\r?\n([\s\S]*?)\r?\n-----BEGIN PGP SIGNATURE-----/m
  return (match.exec(text)?.[1] ?? text).replace(/^- /gm, '')
}

async function readTrusted(trust: Exclude<Trust, { kind: 'unverified' }>): Promise<PublicKey[]> {
  const { readKeys } = await import('openpgp')
  if (trust.kind === 'key') return (await readKeys({ armoredKeys: trust.text })) as PublicKey[]
  if (trust.paths.length === 0) {
    throw new UserError('no keyring to verify the repository with', {
      hint: 'install the package debian-archive-keyring, or name a keyring in the base file ("keyring: …")',
    })
  }
  const keys: PublicKey[] = []
  for (const path of trust.paths) keys.push(...(await readKeyring(path)))
  return keys
}

async function readKeyring(path: string): Promise<PublicKey[]> {
  const { readKeys } = await import('openpgp')
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw new UserError(`cannot read the keyring ${path}`, { hint: 'check the path', cause })
  }
  try {
    const armored = bytes.subarray(0, 4096).includes('-----BEGIN PGP')
    const keys = armored ? readKeys({ armoredKeys: bytes.toString('latin1') }) : readKeys({ binaryKeys: bytes })
    return (await keys) as PublicKey[]
  } catch (cause) {
    throw new UserError(`${path} is not a keyring`, {
      hint: 'it must hold exported OpenPGP public keys, binary or armored ("gpg --export")',
      cause,
    })
  }
}
