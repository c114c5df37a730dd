'use strict'

// CPU per datagram as a bar chart, SVG. The scale is logarithmic: from 25 ns to 3,000 is a factor of a hundred.

const { nanos } = require('./table')

const TITLE = 'CPU nanoseconds per datagram (logarithmic)'
const WIDTH = 860
const ROW = 26
/** Greys that can be read on white and on black alike; no background of its own. */
const TEXT = '#808080'
const LINE = 'rgba(128, 128, 128, 0.25)'
const OURS = '#2f81f7'
const THEIRS = '#9a7b4f'

/** The chart of the flood's rows, as SVG text; `null` where the charting library is not installed. */
function chart(results) {
  let echarts
  try {
    echarts = require('echarts')
  } catch {
    return null
  }
  const rows = results
    .filter((row) => row.section === 'flood' && row.median)
    .sort((a, b) => b.median.nsPerDatagram - a.median.nsPerDatagram)
  const height = 90 + ROW * rows.length
  const drawing = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height })
  drawing.setOption(options(rows))
  const svg = drawing.renderToSVGString()
  drawing.dispose()
  return `${still(svg)}\n`
}

/** Without what is for a pointer, and with a title for who cannot see it. */
function still(svg) {
  return svg
    .replace(/<style[\s\S]*?<\/style>\n?/g, '')
    .replace(/ (class|pointer-events)="[^"]*"/g, '')
    .replace(/^<svg [^>]*>/, (tag) => `${tag}\n<title>${TITLE}</title>`)
}

function options(rows) {
  return {
    animation: false,
    textStyle: { fontFamily: 'system-ui, sans-serif', color: TEXT },
    grid: { left: 330, right: 70, top: 56, bottom: 34 },
    legend: { top: 26, textStyle: { color: TEXT }, itemHeight: 10, itemGap: 24 },
    title: {
      text: TITLE,
      left: 'center',
      top: 0,
      textStyle: { color: TEXT, fontSize: 14, fontWeight: 'normal' },
    },
    xAxis: {
      type: 'log',
      min: 10,
      axisLabel: { color: TEXT, formatter: (value) => value.toLocaleString('en-US') },
      splitLine: { lineStyle: { color: LINE } },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: rows.map(nameOf),
      axisLabel: { color: TEXT },
      axisTick: { show: false },
      axisLine: { lineStyle: { color: LINE } },
    },
    series: [series('recvmmsg', OURS, rows, true), series('others', THEIRS, rows, false)],
  }
}

/** The bars of one colour; the other series has its own in the same places. */
function series(name, color, rows, ours) {
  return {
    name,
    type: 'bar',
    barWidth: '62%',
    barGap: '-100%',
    itemStyle: { color, borderRadius: [0, 3, 3, 0] },
    data: rows.map((row) => (row.ours === ours ? row.median.nsPerDatagram : null)),
    label: { show: true, position: 'right', color: TEXT, formatter: ({ value }) => nanos(value) },
  }
}

function nameOf({ label, gro }) {
  return `${label.replaceAll('`', '')}${gro ? ', UDP_GRO' : ''}`
}

module.exports = { chart }
