// What the executable takes of libFuzzer, which the compiler's -sanitize=fuzzer links
// (https://llvm.org/docs/LibFuzzer.html, "Using libFuzzer as a library").
#ifndef WEFT_CFUZZER_H
#define WEFT_CFUZZER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));

#endif
