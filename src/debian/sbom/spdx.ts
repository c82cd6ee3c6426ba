import { createdOf, describePackages, type SbomSubject, uuidOf } from './describe-packages.ts'

/** A bill of materials in SPDX 2.3, as JSON. */
export function spdxDocument(subject: SbomSubject): string {
  const packages = describePackages(subject)
  const spdxId = (id: string): string => `SPDXRef-Package-${id}`
  const root = 'SPDXRef-Base'
  return json({
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: subject.name,
    documentNamespace: `urn:uuid:${uuidOf(subject)}`,
    creationInfo: { created: createdOf(subject), creators: [`Tool: slipway-${subject.toolVersion}`] },
    packages: [
      {
        SPDXID: root,
        name: subject.name,
        downloadLocation: 'NOASSERTION',
        filesAnalyzed: false,
        primaryPackagePurpose: 'CONTAINER',
        licenseConcluded: 'NOASSERTION',
        licenseDeclared: 'NOASSERTION',
        copyrightText: 'NOASSERTION',
      },
      ...packages.map(({ item, id, purl, supplier }) => ({
        SPDXID: spdxId(id),
        name: item.name,
        versionInfo: item.version,
        packageFileName: item.filename.split('/').at(-1),
        supplier: supplier === '' ? 'NOASSERTION' : `Organization: ${supplier}`,
        downloadLocation: 'NOASSERTION',
        filesAnalyzed: false,
        checksums: [{ algorithm: 'SHA256', checksumValue: item.sha256 }],
        sourceInfo: `built from the source package ${item.source}`,
        licenseConcluded: 'NOASSERTION',
        licenseDeclared: 'NOASSERTION',
        copyrightText: 'NOASSERTION',
        externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
      })),
    ],
    relationships: [
      relationship('SPDXRef-DOCUMENT', 'DESCRIBES', root),
      ...packages.map(({ id }) => relationship(root, 'CONTAINS', spdxId(id))),
      ...packages.flatMap(({ id, depends }) =>
        depends.map(other => relationship(spdxId(id), 'DEPENDS_ON', spdxId(other))),
      ),
    ],
  })
}

function relationship(spdxElementId: string, relationshipType: string, relatedSpdxElement: string): object {
  return { spdxElementId, relationshipType, relatedSpdxElement }
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
