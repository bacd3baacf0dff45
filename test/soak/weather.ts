import type { Answer } from './answers.ts'

/** How the relay is for a while. */
export interface Spell {
  readonly answer: Answer
  readonly forMs: number
}

/** Longer than the agent waits for an answer, and than its spool lasts. */
const HANGING_MS = 17_000
/** The agent's longest back-off of five minutes lasts 12 s at the usual pace; then it drains. */
const RECOVERY_MS = 16_000

const bad = (answer: Answer, forMs: number): Spell[] => [
  { answer, forMs },
  { answer: 'up', forMs: 3_000 },
]

/**
 * One round of all that can go wrong between an agent and its relay, real time. Every round is the same, so that
 * stretches of whole rounds can be compared.
 */
export const ROUND: readonly Spell[] = [
  { answer: 'up', forMs: 6_000 },
  ...bad('refuses', 2_000),
  ...bad('cuts', 1_500),
  ...bad('loses-answers', 1_500),
  ...bad('web-page', 1_500),
  ...bad('half-json', 1_000),
  ...bad('another-id', 1_000),
  ...bad('redirects', 1_000),
  ...bad('floods', 1_500),
  ...bad('busy', 1_500),
  ...bad('rejects', 400),
  ...bad('new-release', 500),
  { answer: 'hangs', forMs: HANGING_MS },
  { answer: 'up', forMs: RECOVERY_MS },
]
