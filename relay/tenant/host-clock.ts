/** A clock that is off by no more than this is left alone: stores take it, and a slow post looks like a clock behind. */
export const WRONG_MS = 60_000
/** Posts that must agree, and how well, before an offset is set, changed or taken back. */
const AGREEING_POSTS = 3
const AGREE_MS = 30_000
/** Under this an offset is taken back; between this and `WRONG_MS` it stays, so that it does not come and go. */
const RIGHT_MS = 30_000
/** A snapshot that was sent within so many intervals is new, not a backlog. */
const FRESH_INTERVALS = 2

/** What is remembered of one host's clock. Skews and offsets are host clock minus relay clock, milliseconds. */
export interface HostClock {
  /** What three posts agreed on; 0: right, or not known to be wrong. */
  readonly offsetMs: number
  /** Of the last posts, as many as the next one is compared with. */
  readonly skewsMs: readonly number[]
  /** What the last batch was corrected by. */
  readonly appliedMs: number
  /** Newest corrected time of a snapshot; null before the first. */
  readonly newestAtMs: number | null
}

/** A post as the clocks see it: `receivedAtMs` by the relay's, the others by the host's. */
export interface PostTimes {
  readonly receivedAtMs: number
  readonly sentAtMs: number
  /** Of its snapshots; null when it has none. */
  readonly oldestAtMs: number | null
  readonly newestAtMs: number | null
  readonly intervalMs: number
  /** False for what may be a re-send of old data, which never moves to a later time. */
  readonly isNew: boolean
}

export const NEW_CLOCK: HostClock = { offsetMs: 0, skewsMs: [], appliedMs: 0, newestAtMs: null }

/**
 * What to take off the times of a post's batch, host clock minus relay clock; 0 for a right clock. A clock ahead of what
 * is known takes the post's own skew at once: one sample in the future makes a store refuse everybody else's. A clock
 * behind waits for three posts, since a post that hung looks the same, unless the host's time would go back.
 */
export function offsetOf(clock: HostClock, post: PostTimes): number {
  const wanted = wantedOffset(clock, post)
  const { oldestAtMs } = post
  if (!mayMove(clock, post) || wanted <= clock.appliedMs || !goesBack(clock, oldestAtMs, wanted)) return wanted
  // Between the last one and the wanted one: as near to the wanted one as time does not go back.
  const onward = (oldestAtMs ?? 0) - (clock.newestAtMs ?? 0) - 1
  return Math.min(wanted, Math.max(clock.appliedMs, onward))
}

/** The clock after a post whose batch was corrected by `appliedMs`. */
export function afterPost(clock: HostClock, post: Omit<PostTimes, 'oldestAtMs'>, appliedMs: number): HostClock {
  const skewsMs = [...clock.skewsMs, skewOf(post)].slice(1 - AGREEING_POSTS)
  const newest = post.newestAtMs === null ? [] : correctedTimes([post.newestAtMs], { ...post, offsetMs: appliedMs })
  return {
    offsetMs: measured(clock, skewOf(post)),
    skewsMs,
    appliedMs,
    newestAtMs: newest[0] === undefined ? clock.newestAtMs : Math.max(clock.newestAtMs ?? 0, newest[0]),
  }
}

/**
 * The times of a batch by the relay's clock. What would still lie in the future was taken before the host's clock was
 * set back: its newest is taken to be of now, the rest keeps its distance.
 */
export function correctedTimes(
  timesMs: readonly number[],
  batch: { readonly receivedAtMs: number; readonly offsetMs?: number },
): number[] {
  const times = timesMs.map(atMs => atMs - (batch.offsetMs ?? 0))
  const newest = times.reduce((latest, atMs) => Math.max(latest, atMs), 0)
  const limit = batch.receivedAtMs + WRONG_MS
  return newest <= limit ? times : times.map(atMs => (atMs <= limit ? atMs : atMs - newest + batch.receivedAtMs))
}

function wantedOffset(clock: HostClock, post: PostTimes): number {
  const skewMs = skewOf(post)
  const knownMs = measured(clock, skewMs)
  const ownMs = Math.abs(skewMs) > WRONG_MS ? skewMs : 0
  if (skewMs - knownMs > WRONG_MS) return ownMs
  const wasSetBack = knownMs - skewMs > WRONG_MS && mayMove(clock, post) && goesBack(clock, post.oldestAtMs, knownMs)
  return wasSetBack ? ownMs : knownMs
}

/** The offset once this post is counted. A post may arrive late but never early: the largest skew is the truest. */
function measured({ offsetMs, skewsMs }: HostClock, skewMs: number): number {
  const skews = [...skewsMs, skewMs].slice(-AGREEING_POSTS)
  const most = Math.max(...skews)
  if (skews.length < AGREEING_POSTS || most - Math.min(...skews) > AGREE_MS) return offsetMs
  if (offsetMs === 0) return Math.abs(most) > WRONG_MS ? most : 0
  if (Math.abs(most) <= RIGHT_MS) return 0
  return Math.abs(most - offsetMs) > AGREE_MS ? most : offsetMs
}

/** Whether a snapshot may get a later time than its own clock says: only what was taken just now. */
function mayMove(clock: HostClock, { sentAtMs, newestAtMs, intervalMs, isNew }: PostTimes): boolean {
  if (!isNew || newestAtMs === null || clock.newestAtMs === null) return false
  return Math.abs(sentAtMs - newestAtMs) <= Math.max(FRESH_INTERVALS * intervalMs, WRONG_MS)
}

function goesBack({ newestAtMs }: HostClock, oldestAtMs: number | null, offsetMs: number): boolean {
  return oldestAtMs !== null && newestAtMs !== null && oldestAtMs - offsetMs <= newestAtMs
}

function skewOf({ sentAtMs, receivedAtMs }: Pick<PostTimes, 'sentAtMs' | 'receivedAtMs'>): number {
  return sentAtMs - receivedAtMs
}
