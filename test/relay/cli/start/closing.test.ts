import { expect, it } from 'vitest'
import { closing } from '../../../../relay/cli/start/closing.ts'

it('closes in the opposite order, all of it, and fails with the first failure', async () => {
  const said: string[] = []
  const closed: string[] = []
  const open = closing(line => void said.push(line))
  open.add(async () => void closed.push('claim'))
  open.add(async () => void closed.push('relay'), 'relay')
  open.add(() => Promise.reject(new Error('stuck')), 'agent')
  await expect(open.closeAll()).rejects.toThrow('stuck')
  expect(closed).toEqual(['relay', 'claim'])
  expect(said).toEqual(['Stopping the agent.', 'Stopping the relay.'])
  await open.closeAll()
  expect(closed).toHaveLength(2)
})
