let origin = performance.timeOrigin

/** Milliseconds since the epoch, with fractions. */
export function wallClock(): number {
  const coarse = Date.now()
  const fine = origin + performance.now()
  if (Math.abs(fine - coarse) < 2) return fine
  // The clock has been set since.
  origin += coarse - fine
  return coarse
}
