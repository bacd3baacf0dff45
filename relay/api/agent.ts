import { Hono } from 'hono'
import { type EnrolReply, type EnrolRequest, enrolRequest } from '../../shared/wire.ts'
import { mintHostToken, newSecret, readHostToken, tokenProblem } from '../auth/token.ts'
import { readEnrolmentCode } from '../directory/enrolment-code.ts'
import type { Env } from '../env.ts'
import { directoryOf, FIRST_SHARD, tenantObject } from '../objects.ts'
import { errorResponse, problemResponse } from '../problem.ts'
import { ok, type Result, refused } from '../result.ts'
import { readKeyring } from '../secrets/keyring.ts'
import { answer, answerHeaders } from './answer.ts'
import type { AgentEnv } from './context.ts'
import { limitBody, readBody } from './request.ts'

/** The agent's routes beside the batches', to be mounted at `/v1`. */
export function agentApi(): Hono<AgentEnv> {
  const api = new Hono<AgentEnv>()
  api.onError(errorResponse)

  // On each route, not on all of `/v1`: others are mounted beside this.
  api.post('/enrol', answerHeaders, limitBody, async c =>
    answer(c, await enrol(c.env, await readBody(c, enrolRequest))),
  )

  api.get('/config', answerHeaders, async c => {
    const reading = await readHostToken(readKeyring(c.env.RELAY_KEYS), c.req.header('Authorization'))
    if (reading.kind !== 'ok') {
      const { code, detail } = tokenProblem(reading, 'host')
      return problemResponse(code, detail)
    }
    const { tenantId, shard, hostId, secretHash } = reading.token
    const reply = answer(c, await tenantObject(c.env, tenantId, shard).hostConfig({ hostId, secretHash }))
    // By which `doctor` tells a host's wrong clock; workerd by itself sends none.
    reply.headers.set('Date', new Date().toUTCString())
    return reply
  })

  return api
}

/**
 * A code for a host token. When the tenant refuses the host (its name is taken), the use of the code stays with this
 * machine: it tries again with another name and the same code.
 */
async function enrol(env: Env, request: EnrolRequest): Promise<Result<EnrolReply>> {
  // Before the code is used: a relay that cannot sign takes none.
  const keyring = readKeyring(env.RELAY_KEYS)
  const code = await readEnrolmentCode(request.code)
  if (!code) return refused('enrolment_code_invalid', 'An enrolment code looks like 7K2M-0QXR-9TBD-4HWE. Check it.')
  const tenant = await directoryOf(env).redeem(code.codeHash, request.machineId)
  if (!tenant.ok) return tenant

  const { machineId, hostname, os } = request
  const name = (request.name ?? hostname).normalize('NFC')
  const { secret, secretHash } = await newSecret()
  const host = await tenantObject(env, tenant.value.id).enrol({ machineId, hostname, name, os, secretHash })
  if (!host.ok) return host

  const { hostId, config } = host.value
  const token = await mintHostToken(keyring, { tenantId: tenant.value.id, shard: FIRST_SHARD, hostId, secret })
  await directoryOf(env).audit({
    by: `code ${code.hint}`,
    action: 'host.enrol',
    tenantId: tenant.value.id,
    subject: `${hostId} ${name}`,
  })
  return ok({ hostId, token, routes: readRoutes(env.RELAY_ROUTES), config })
}

function readRoutes(routes: string | undefined): string[] {
  return (routes ?? '')
    .split(',')
    .map(route => route.trim())
    .filter(route => URL.canParse(route))
}
