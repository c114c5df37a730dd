/** What the doctor says of one thing. */
export interface Finding {
  /** What was looked at, by the system's own name where it has one. */
  name: string
  /** `problem`: datagrams are being lost, or something that this package is for does not work. */
  level: 'ok' | 'advice' | 'problem' | 'unknown'
  /** What was found. */
  text: string
  /** What to change; `null` for nothing. */
  advice: string | null
  /** The command for it; `null` where there is none that could be told. */
  command: string | null
  /** The figures. */
  values: Record<string, unknown>
}

/** One in which nothing is to be changed, unless `more` says so. */
export function finding(name: string, text: string, more: Partial<Finding> = {}): Finding {
  return { name, level: 'ok', text, advice: null, command: null, values: {}, ...more }
}
