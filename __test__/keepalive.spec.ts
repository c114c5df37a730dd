// What an open socket does to the life of its process.

import { describeModes, expectWell, ipv4Modes, runChild } from './support/loop'

describeModes((mode) => {
  test.each([
    ['bound and never read', 'unread', 'ended'],
    ['bound and read by recv only', 'received', 'ended'],
    ['with an iterator that has not begun', 'unstarted', 'ended'],
    ['with a listener', 'listener', 'alive'],
    ['with a loop', 'iterator', 'alive'],
    ['paused before its first listener', 'pausedBefore', 'alive'],
    ['paused since', 'paused', 'alive'],
    ['whose listener was removed', 'removed', 'alive'],
    ['whose loop has ended', 'broken', 'alive'],
    ['unref()ed', 'unref', 'ended'],
    ['unref()ed before its first reader', 'unrefBefore', 'ended'],
    ['unref()ed and ref()ed again', 'ref', 'alive'],
    ['closed', 'closed', 'ended'],
    ['closed after it was paused', 'pausedClosed', 'ended'],
    ['closed by its signal', 'aborted', 'ended'],
    ['with a pending readable()', 'readable', 'alive'],
    ['whose readable() has resolved', 'readableDone', 'ended'],
    ['whose readable() was aborted', 'readableAborted', 'ended'],
    ['unref()ed, with a pending readable()', 'readableUnref', 'ended'],
    ['one of two, the other closed', 'oneOfTwo', 'alive'],
  ])('a process with a socket %s', async (_what, scenario, end) => {
    expect(expectWell(await runChild('life', mode, [scenario]))).toEqual([end])
  })

  test('an unref()ed socket reads as long as the process lives', async () => {
    expect(expectWell(await runChild('life', mode, ['unrefReads']))).toEqual(['x', 'ended'])
  })
}, ipv4Modes)
