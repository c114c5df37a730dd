'use strict'

// Whether a receiver received what was sent: count, sizes, ports, and what the kernel says was lost.

/** Payload bytes of each datagram. */
const SIZE = 64

/**
 * One socket's account of the window.
 *
 * @param row what was measured
 * @param report the sender's
 * @param before what the receiver had received before the window
 * @param after and after it
 * @param lostMessages what the kernel dropped meanwhile
 */
function check(row, report, before, after, lostMessages) {
  const sent = report.datagrams
  const received = after.datagrams - before.datagrams
  const sizes = after.sizes - before.sizes
  const ports = after.ports - before.ports
  // The kernel drops what it queues: a coalesced message where the socket takes such, else a datagram.
  const perMessage = row.gro && report.gso ? row.load.segments : 1
  const lost = lostMessages * perMessage
  const problems = []
  if (sent !== received + lost) problems.push(`sent ${sent}, but received ${received} and lost ${lost}`)
  if (sizes !== received * SIZE)
    problems.push(`sizes are ${sizes} for ${received} datagrams of ${SIZE} bytes`)
  const [least, most] = portSums(report, row.load, received)
  if (ports < least || ports > most) problems.push(`ports add up to ${ports}, not to ${least} to ${most}`)
  // Only ours tell: SO_MEMINFO beside /proc/net/udp.
  if (typeof after.drops === 'number' && after.drops - before.drops !== lostMessages) {
    problems.push(`stats() tells of ${after.drops - before.drops} drops, the kernel of ${lostMessages}`)
  }
  return { sent, received, lostMessages, lost, problems }
}

/** What an echo sent, beside what it received, and what came back to its load; the problems. */
function checkEcho(row, { back, drops }, echoed, { received }) {
  const problems = []
  if (echoed !== received) problems.push(`sent ${echoed} back of ${received} datagrams`)
  const lost = drops * (row.gro ? row.load.segments : 1)
  if (back + lost !== echoed) problems.push(`${back} came back and ${lost} were lost of ${echoed} datagrams`)
  return problems
}

/** The least and the most that the senders' ports of `received` datagrams can add up to; the same if all arrived. */
function portSums({ ports, datagrams }, { segments = 1 }, received) {
  const groups = Math.floor(datagrams / segments)
  const flows = ports.length
  const sentFrom = ports.map((port, index) => {
    const whole = Math.floor(groups / flows) + (index < groups % flows ? 1 : 0)
    const rest = index === groups % flows ? datagrams % segments : 0
    return { port, count: whole * segments + rest }
  })
  const ascending = sentFrom.sort((a, b) => a.port - b.port)
  const sumOfFirst = (list) => {
    let left = received
    return list.reduce((sum, { port, count }) => {
      const taken = Math.min(left, count)
      left -= taken
      return sum + taken * port
    }, 0)
  }
  return [sumOfFirst(ascending), sumOfFirst([...ascending].reverse())]
}

module.exports = { SIZE, check, checkEcho }
