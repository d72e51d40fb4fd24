// The order of a batch of images, between planes and pixels:
//
//   to_pixels = 1:   out[b, p, c] = scale_b * source[b, c, p]
//   to_pixels = 0:   out[b, c, p] = scale_b * source[b, p, c]
//
// scale_b is the INPUT_SCALE of sample b's row of coefficients if `scaled`, else 1. Grid: image after image, a
// group for each block of NW_GROUP * PO_RUN elements; neighbouring work-items write neighbours.
// Budget: registers 32, stack 0, spills 0

#include "common/vectors.clh"
#include "common/coefficients.clh"
#include "network/rows.clh"

#ifndef PO_RUN
#define PO_RUN (WEFT_VARIANT_GPU ? 4 : 256)    // elements a work-item
#endif

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void pixel_order(const __global float *restrict source, __global float *restrict out, const int pixels,
                 const int channels, const int to_pixels, const int scaled, const __global float *restrict table,
                 const int first_row, const int row_stride)
{
  const int elements = pixels * channels;
  const int blocks = (elements + NW_GROUP * PO_RUN - 1) / (NW_GROUP * PO_RUN);
  const int group = get_group_id(0), image = group / blocks, block = group % blocks;
  const float scale = scaled ? cf_row(table, first_row, row_stride, image)[CF_INPUT_SCALE] : 1.0f;
  const size_t start = (size_t)image * elements;
  const int inner = to_pixels ? channels : pixels;
  const int outer = to_pixels ? pixels : channels;
  for (int run = 0; run < PO_RUN; ++run) {
    const int e = (block * PO_RUN + run) * NW_GROUP + get_local_id(0);
    if (e < elements) out[start + e] = scale * source[start + e % inner * outer + e / inner];
  }
}
