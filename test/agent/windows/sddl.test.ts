import { describe, expect, it } from 'vitest'
import { sidOf } from '../../../agent/windows/process-token.ts'
import { judgePrivacy, PRIVATE_SDDL } from '../../../agent/windows/sddl.ts'

/** Of a file or directory that is no link. */
const judge = (sddl: string, self?: string) => judgePrivacy({ sddl, isLink: false }, self)

const ME = 'S-1-5-21-1111111111-222222222-333333333-1001'

describe('who gets into a directory', () => {
  it.each([
    PRIVATE_SDDL,
    // As Windows tells it: flags of inheritance, a group, another order.
    'O:BAG:SYD:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)',
    'O:SYD:P(A;OICI;FA;;;SY)',
    'O:S-1-5-18D:P(A;OICI;FA;;;S-1-5-32-544)',
    // Nobody is kept in by being kept out.
    'O:BAD:PAI(D;;FA;;;WD)(A;OICI;FA;;;SY)',
  ])('nobody else: %s', sddl => expect(judge(sddl)).toEqual({ kind: 'private' }))

  it.each([
    // What ProgramData hands down.
    [
      'O:BAD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)(A;CIID;DCLCRPCR;;;BU)',
      ['CO', 'BU'],
    ],
    [`O:SYD:P(A;OICI;FA;;;SY)(A;;FR;;;${ME})`, [ME]],
    ['O:BAD:P(XA;OICI;FA;;;WD;(Member_of {SID(BA)}))', ['WD']],
    // Private today, but what its parent is given tomorrow comes down.
    ['O:BAD:AI(A;OICIID;FA;;;SY)', []],
    ['O:BAD:NO_ACCESS_CONTROL', ['everybody']],
    ['O:BA', ['everybody']],
  ])('others: %s', (sddl, trustees) => expect(judge(sddl)).toEqual({ kind: 'wider', trustees }))

  it('is up to another owner, whatever the list says', () => {
    const sddl = `O:${ME}D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)`
    expect(judge(sddl)).toEqual({ kind: 'foreign', owner: ME })
    expect(judge('')).toEqual({ kind: 'foreign', owner: 'nobody' })
    // What the administrator who asks made by himself is handed over to the group.
    expect(judge(sddl, ME)).toEqual({ kind: 'wider', trustees: [] })
  })

  it('is up to who made the link, and then to where it leads', () => {
    expect(judgePrivacy({ sddl: PRIVATE_SDDL, isLink: true })).toEqual({ kind: 'link' })
    expect(judgePrivacy({ sddl: `O:${ME}D:P(A;OICI;FA;;;SY)`, isLink: true })).toEqual({ kind: 'foreign', owner: ME })
  })

  it('reads a SID as Windows lays it', () => {
    const user = Buffer.alloc(44)
    Buffer.from('0105000000000005', 'hex').copy(user, 16)
    for (const [index, part] of [21, 1111111111, 222222222, 333333333, 1001].entries())
      user.writeUInt32LE(part, 24 + index * 4)
    expect(sidOf(user)).toBe(ME)
    expect(sidOf(Buffer.from('010100000000000512000000', 'hex'), 0)).toBe('S-1-5-18')
  })
})
