/**
 * Error numbers as native code returns them, made positive. `os.constants.errno` has the C library's, which are others than
 * those of Node's errors on Windows.
 */

import { systemErrno } from '../binding'

export const {
  ebadf: EBADF,
  ebusy: EBUSY,
  ecanceled: ECANCELED,
  edestaddrreq: EDESTADDRREQ,
  eexist: EEXIST,
  efault: EFAULT,
  einval: EINVAL,
  eisconn: EISCONN,
  enoprotoopt: ENOPROTOOPT,
  enotconn: ENOTCONN,
  enotsock: ENOTSOCK,
  eshutdown: ESHUTDOWN,
} = systemErrno()
