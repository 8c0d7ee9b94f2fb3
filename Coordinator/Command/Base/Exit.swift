// SPDX-License-Identifier: Apache-2.0
// The process as a whole.

import Glibc

func exitProcess(_ code: ExitCode) -> Never { exit(code.rawValue) }

/// Databases, keys and credentials are made readable by their owner alone.
func restrictNewFiles() { umask(0o077) }
