import type { Finding } from './finding'

/** Findings as text, in their order, with what to do below each; how many there are of each level at the end. */
export function asText(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ level, name, text, advice, command }) => [
    `${level.padEnd(8)} ${name}: ${text}`,
    ...[advice, command].flatMap((line) => (line === null ? [] : [`           ${line}`])),
  ])
  return `${[...lines, '', counts(findings)].join('\n')}\n`
}

function counts(findings: readonly Finding[]): string {
  const count = (level: Finding['level']) => findings.filter((each) => each.level === level).length
  const problems = count('problem')
  const parts = [
    problems === 0 ? 'no problem' : problems === 1 ? '1 problem' : `${problems} problems`,
    `${count('advice')} with advice`,
    `${count('unknown')} unknown`,
    `${count('ok')} ok`,
  ]
  return parts.join(', ')
}
