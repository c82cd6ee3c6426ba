/** Who we are to a registry. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** A refresh token (OAuth 2) instead of a password. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** Sent to the registry itself as it is. */
  | { readonly kind: 'registry-token'; readonly token: string }

/** Where credentials come from. */
export interface Credentials {
  /** Those for a repository of a registry, both as users name them; undefined: nobody in particular. */
  find(registry: string, repository?: string): Promise<Credential | undefined>
}

/** The value of an `Authorization` header for a name and password (RFC 7617). */
export function basicAuthorization({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
