import { describe, expect, it } from 'vitest'
import { classifyStatus } from '../../../relay/sinks/classify.ts'

describe('classifyStatus', () => {
  it('says of a failure that the data may be stored, unless it was turned away whole', () => {
    for (const status of [500, 502, 503, 504])
      expect(classifyStatus({ status, body: '' })).toMatchObject({ mayBeStored: true })
    for (const status of [429, 529]) expect(classifyStatus({ status, body: '' })).toMatchObject({ mayBeStored: false })
  })

  it('keeps the words of a page and leaves its tags', () => {
    const body = '<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>'
    expect(classifyStatus({ status: 502, body })).toMatchObject({
      reason: 'HTTP 502: a web page, not an API: 502 Bad Gateway nginx',
    })
  })

  it('gives the bare status when there are no words', () => {
    expect(classifyStatus({ status: 404, body: ' \r\n' })).toEqual({ kind: 'suspended', reason: 'HTTP 404' })
  })
})
