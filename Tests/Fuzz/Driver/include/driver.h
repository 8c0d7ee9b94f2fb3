/* SPDX-License-Identifier: Apache-2.0 */
/* Hands a target to libFuzzer, which reads its options from the command line and calls it with one input after another. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* The exit status. `one` answers 0. */
int fuzz_run(int count, char **arguments, int (*one)(const uint8_t *bytes, size_t count));
