import { expect, test } from 'vitest'
import { parseDockerfile } from '#dockerfile'
import { planBuild, planToJson } from '#plan'

test('a printed plan shows arguments, but none that looks like a secret', async () => {
  const text = 'FROM scratch\nARG VERSION=12\nARG API_TOKEN=hush-hush\nENV PLAIN=seen\nRUN ["/x"]\n'
  const plan = await planBuild({
    tree: parseDockerfile({ name: 'Dockerfile', text }),
    resolveImage: () => Promise.reject(new Error('no image is needed')),
  })
  const json = planToJson(plan)
  expect(json).toContain('VERSION=12')
  expect(json).toContain('PLAIN=seen')
  expect(json).toContain('API_TOKEN=****')
  expect(json).not.toContain('hush-hush')
})
