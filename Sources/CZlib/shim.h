// zlib, as far as reading archives needs it.
#ifndef WEFT_CZLIB_SHIM_H
#define WEFT_CZLIB_SHIM_H

#include <zlib.h>

// A macro, which Swift does not see: a deflate stream without zlib's own frame, as ZIP archives hold it.
static inline int weft_inflate_raw(z_stream *stream) {
  return inflateInit2(stream, -MAX_WBITS);
}

#endif
