// Error numbers: the names that Node has for them.

import { getSystemErrorName } from 'node:util'
import * as errno from '../lib/errno'

test.each(Object.entries(errno))('%s is what Node calls its number', (name, number) => {
  expect(number).toBeGreaterThan(0)
  expect(getSystemErrorName(-number)).toBe(name)
})
