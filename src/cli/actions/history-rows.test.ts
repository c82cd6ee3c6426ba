import { expect, test } from 'vitest'
import type { ImageConfig } from '#oci'
import { historyRows, renderHistory, renderHistoryJson } from './history-rows.ts'

const config: ImageConfig = {
  architecture: 'amd64',
  os: 'linux',
  config: {},
  rootfs: { type: 'layers', diff_ids: [] },
  history: [
    { created: '2026-11-21T10:00:00Z', created_by: 'base', comment: 'imported' },
    { created: '2026-11-21T11:00:00Z', created_by: 'ENV A=1', empty_layer: true },
    {
      created: '2026-11-21T11:57:00Z',
      created_by: 'RUN /bin/sh -c make \t all && something that is really long # buildkit',
    },
  ],
}
const id = `sha256:${'0123456789abcdef'.repeat(4)}`
const now = Date.parse('2026-11-21T12:00:00Z')

test('as docker history prints it', () => {
  const rows = historyRows({ id, config, layerSizes: [124_000_000, 2048] })
  expect(renderHistory(rows, { truncate: true, human: true, now })).toBe(
    [
      'IMAGE          CREATED             CREATED BY                                      SIZE      COMMENT',
      '0123456789ab   3 minutes ago       RUN /bin/sh -c make all && something that is…   2.05kB',
      '<missing>      About an hour ago   ENV A=1                                         0B',
      '<missing>      2 hours ago         base                                            124MB     imported',
      '',
    ].join('\n'),
  )
})

test('nothing shortened or rounded', () => {
  const rows = historyRows({ id, config, layerSizes: [124_000_000, 2048] })
  const [, first = ''] = renderHistory(rows, { truncate: false, human: false, now }).split('\n')
  expect(first).toMatch(/^sha256:[0-9a-f]{64} {3}2026-11-21T11:57:00Z {3}RUN .* # buildkit {3}2048$/)
})

test('layers without history count too', () => {
  const rows = historyRows({ id, config: { ...config, history: [] }, layerSizes: [1, 2] })
  expect(rows.map(row => [row.id, row.size])).toEqual([
    [id, 2],
    [undefined, 1],
  ])
})

test('JSON, one object a line', () => {
  const rows = historyRows({ id, config, layerSizes: [124_000_000, 2048] })
  const lines = renderHistoryJson(rows, { truncate: false, human: true, now }).trimEnd().split('\n')
  expect(lines).toHaveLength(3)
  expect(JSON.parse(lines[2] ?? '')).toEqual({
    ID: '<missing>',
    CreatedAt: '2026-11-21T10:00:00Z',
    CreatedSince: '2 hours ago',
    CreatedBy: 'base',
    Size: '124MB',
    SizeBytes: 124_000_000,
    Comment: 'imported',
  })
})
