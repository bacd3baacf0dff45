import { expect, test } from 'vitest'
import { parseSpawns } from './spawns.ts'

const TRACE = `\
100   1795408700.100000 execve("/usr/bin/onec-agent", ["onec-agent", "run"], 0x7ffd /* 9 vars */) = 0
100   1795408700.200000 clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM, stack=0x7f}, 88 => {parent_tid=[101]}, 88) = 101
100   1795408700.300000 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD <unfinished ...>
101   1795408700.300100 clone3({flags=CLONE_VM|CLONE_VFORK|CLONE_CLEAR_SIGHAND, exit_signal=SIGCHLD}, 88) = 103
100   1795408700.300200 <... clone resumed>, child_tidptr=0x7f) = 102
102   1795408700.400000 execve("/usr/bin/who", ["who"], 0x7ffd /* 9 vars */) = 0
100   1795408700.500000 vfork() = 104
100   1795408700.600000 fork() = -1 EAGAIN (Resource temporarily unavailable)
104   1795408700.700000 +++ exited with 0 +++
`

test('counts processes, not threads, second halves or failures', () => {
  expect(parseSpawns(TRACE).map(({ atMs }) => atMs)).toEqual([1795408700300, 1795408700300.1, 1795408700500])
})
