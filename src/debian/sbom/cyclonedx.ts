import { createdOf, describePackages, type SbomSubject, uuidOf } from './describe-packages.ts'

/** A bill of materials in CycloneDX 1.6, as JSON. */
export function cycloneDxDocument(subject: SbomSubject): string {
  const packages = describePackages(subject)
  const root = `base:${subject.name}`
  const purls = new Map(packages.map(({ id, purl }) => [id, purl]))
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(subject)}`,
    version: 1,
    metadata: {
      timestamp: createdOf(subject),
      tools: { components: [{ type: 'application', name: 'slipway', version: subject.toolVersion }] },
      component: { type: 'container', 'bom-ref': root, name: subject.name },
    },
    components: packages.map(({ item, purl, supplier }) => ({
      type: 'library',
      'bom-ref': purl,
      ...(supplier !== '' && { supplier: { name: supplier } }),
      name: item.name,
      version: item.version,
      hashes: [{ alg: 'SHA-256', content: item.sha256 }],
      purl,
      properties: [
        { name: 'slipway:deb:source', value: item.source },
        { name: 'slipway:deb:filename', value: item.filename },
      ],
    })),
    dependencies: [
      { ref: root, dependsOn: packages.map(({ purl }) => purl) },
      ...packages.map(({ purl, depends }) => ({ ref: purl, dependsOn: depends.flatMap(id => purls.get(id) ?? []) })),
    ],
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}
