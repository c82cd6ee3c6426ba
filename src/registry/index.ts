/**
 * registry: the distribution protocol as `Blobs` and `Manifests`; who we are to a registry.
 *
 * In: names of repositories, credentials, bytes. Out: manifests, blobs, tags. Always: digests and sizes are verified both ways, a
 * tag appears after everything it needs, credentials reach the registry that they are for and its token server and nobody else,
 * and are in no error; TLS is given up only for registries of this machine and such as the user calls insecure.
 */
export { serverTls } from './certificate-directories.ts'
export type { Credential, Credentials } from './credentials.ts'
export { type FoundConfiguration, type FoundCredentials, findConfiguration } from './found-configuration.ts'
export { openRegistries, type Registries, type RegistriesOptions } from './open-registries.ts'
export { RegistryError } from './registry-error.ts'
export type { Repository, StoredBlob } from './repository.ts'
export { type RegistrySettings, registrySettings, type SettingsSources } from './settings.ts'
export {
  openStoredCredentials,
  type StoredCredentials,
  type StoredCredentialsOptions,
} from './stored-credentials.ts'
export { isLocalHost, type RepositoryName } from './server-address.ts'
