// SPDX-License-Identifier: Apache-2.0
import Glibc

func exitProcess(_ code: ExitCode) -> Never { exit(code.rawValue) }
