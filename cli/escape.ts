/** What others have written, harmless on a terminal. */

/**
 * What a terminal would obey instead of showing it: C0, DEL and C1, which a sender could drive it with, marks that turn
 * the direction of what follows, and what some take for the end of a line.
 */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu
const UNSAFE_OR_BACKSLASH = new RegExp(`\\\\|${UNSAFE.source}`, 'gu')
const SHORT: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** As text. */
export function plain(value: string): string {
  return value.replace(UNSAFE_OR_BACKSLASH, escaped)
}

/** As a JSON string. */
export function quote(value: string): string {
  return JSON.stringify(value).replace(UNSAFE, unicodeEscape)
}

function escaped(character: string): string {
  const code = character.charCodeAt(0)
  return (
    SHORT[character] ?? (code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : unicodeEscape(character))
  )
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
