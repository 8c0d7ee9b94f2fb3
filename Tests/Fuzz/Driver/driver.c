// SPDX-License-Identifier: Apache-2.0
#include "driver.h"

// Of libFuzzer, whose own main function SwiftPM's choice of the program's entry leaves out.
int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*one)(const uint8_t *, size_t));

int fuzz_run(int count, char **arguments, int (*one)(const uint8_t *, size_t)) {
    return LLVMFuzzerRunDriver(&count, &arguments, one);
}
