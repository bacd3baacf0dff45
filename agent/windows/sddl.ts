/** Full access for SYSTEM and administrators, inherited by all below; nothing from above. By SID: names are localized. */
export const PRIVATE_SDDL = 'O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)'

/** SYSTEM and the group of administrators, and as whom an administrator without the group owns what he makes. */
const TRUSTED = new Set(['SY', 'BA', 'LA', 'S-1-5-18', 'S-1-5-32-544'])

/** Of a file or directory: owner and access list as text, and whether the name is a link that leads elsewhere. */
export interface Security {
  readonly sddl: string
  readonly isLink: boolean
}

/**
 * `private`: nobody else gets in. `wider`: others do. `link`: what it leads to today it may not tomorrow. `foreign`: its
 * owner, who may change all, is somebody else.
 */
export type Privacy =
  | { readonly kind: 'private' }
  | { readonly kind: 'link' }
  | { readonly kind: 'wider'; readonly trustees: readonly string[] }
  | { readonly kind: 'foreign'; readonly owner: string }

/**
 * What a security descriptor lets others do, and whether it is a link's. From its text: `O:<sid>G:<sid>D:<flags>(<ace>)…`, where an ACE is
 * `type;flags;rights;object;inherit;<sid>`. `self` is the SID of the administrator who asks.
 * https://learn.microsoft.com/windows/win32/secauthz/security-descriptor-string-format
 */
export function judgePrivacy({ sddl, isLink }: Security, self?: string): Privacy {
  const owner = /O:(S-[\d-]+|[A-Z]{2})/.exec(sddl)?.[1] ?? 'nobody'
  if (!TRUSTED.has(owner) && owner !== self) return { kind: 'foreign', owner }
  if (isLink) return { kind: 'link' }
  const dacl = /D:([A-Z_]*)((?:\([^)]*\))*)/.exec(sddl)
  // Without a list everybody may do everything.
  if (!dacl || dacl[1]?.includes('NO_ACCESS_CONTROL')) return { kind: 'wider', trustees: ['everybody'] }
  const others = allowed(dacl[2] ?? '').filter(trustee => !TRUSTED.has(trustee))
  if (others.length > 0) return { kind: 'wider', trustees: [...new Set(others)] }
  return owner === self || !dacl[1]?.startsWith('P') ? { kind: 'wider', trustees: [] } : { kind: 'private' }
}

const allowed = (aces: string): string[] =>
  [...aces.matchAll(/\(([^)]*)\)/g)].flatMap(([, ace = '']) => {
    const fields = ace.split(';')
    return fields[0]?.includes('A') ? [fields[5] ?? ''] : []
  })
