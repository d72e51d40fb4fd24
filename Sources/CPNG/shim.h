// libpng's simplified interface, which catches its own errors: no setjmp in Swift.
#ifndef WEFT_CPNG_SHIM_H
#define WEFT_CPNG_SHIM_H

#include <png.h>
#include <stddef.h>

// A macro with arguments, which Swift does not see: the most bytes an image's file can take.
static inline size_t weft_png_size_limit(png_image image) {
  return PNG_IMAGE_PNG_SIZE_MAX(image);
}

#endif
