import { isPackagedExample, scanBytes } from '#secrets'
import { type FileFinding, findingOf } from './file-scanner.ts'

/** Other files are looked at up to this size (bytes). */
const smallFile = 16 << 10

/** Of all other files together so much is looked at, so that copying very many costs little more (bytes). */
const budget = 3 << 20

/** Files in which nearly always is a secret, and those in which often one is. */
const suspicious =
  /(?:^|\/)(?:\.env[^/]*|[^/]*\.env|id_(?:rsa|dsa|ecdsa|ed25519)|[^/]*\.(?:pem|key|p8|ppk|ovpn|kubeconfig|tfstate|tfvars)|\.?(?:npmrc|yarnrc|yarnrc\.yml|netrc|pypirc|pgpass|boto|s3cfg|my\.cnf|git-credentials|htpasswd)|\.(?:bash|zsh|sh|psql|mysql)_history|\.(?:aws|docker|kube|ssh|gem|cargo|m2|config\/gh)\/[^/]+|\.git\/config|(?:application_default_)?credentials(?:\.\w+)?|secrets?\.\w+|shadow|wp-config\.php)$/i

/** Of packages of others only files with such names are looked at. */
const packages = /(?:^|\/)(?:node_modules|site-packages|dist-packages|gems|vendor|\.git\/objects)\//

/**
 * Looks quickly at files that come whole: those whose name is suspicious, and of other small ones some megabytes. Archives are
 * not opened.
 */
export function copiedScanner(found: (finding: FileFinding) => void): (path: string, bytes: Uint8Array) => void {
  let left = budget
  return (path, bytes) => {
    if (!suspicious.test(path)) {
      if (bytes.length > smallFile || bytes.length > left || packages.test(path)) return
      left -= bytes.length
    } else if (isPackagedExample(path)) return
    for (const hit of scanBytes({ bytes, path })) found(findingOf(hit, { path }))
  }
}
