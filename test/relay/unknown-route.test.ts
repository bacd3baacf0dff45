import { expect, it } from 'vitest'
import { relayApp } from '../../relay/app.ts'

it('repeats the path that it does not know: what the agent makes large answers of, without any effect here', async () => {
  const path = `/v1/doctor-${'x'.repeat(4_000)}`
  const answer = await relayApp().request(path)
  expect(answer.status).toBe(404)
  expect(await answer.text()).toContain(path)
})
