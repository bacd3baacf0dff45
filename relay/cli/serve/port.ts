import { createServer } from 'node:net'
import { systemCode, UserError } from '../user-error.ts'

/** Fails, saying what to do, when nothing can listen there. Port 0 always can. */
export async function checkPort(host: string, port: number): Promise<void> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, exclusive: true }, resolve)
    })
  } catch (error) {
    throw refusal(host, port, systemCode(error))
  }
  await new Promise<void>(resolve => server.close(() => resolve()))
}

function refusal(host: string, port: number, code: string | undefined): UserError {
  if (code === 'EADDRINUSE')
    return new UserError(`Port ${port} on ${host} is taken by another program.`, {
      next: `Choose another: RELAY_PORT=${port + 1} npm start, or onec-relay serve --port ${port + 1}. See who has it: ss -ltnp 'sport = :${port}'`,
    })
  if (code === 'EACCES')
    return new UserError(`Port ${port} is not yours to listen on.`, { next: 'Choose one above 1023.' })
  return new UserError(`Nothing can listen on ${host}:${port}: ${code}.`, { next: 'Check --host and --port.' })
}
