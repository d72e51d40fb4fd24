// Rotary position embedding of row-major vectors (the rows of a pairwise product; its columns turn in pack.cl):
//
//   out[t, out_offset + h * out_head_stride + c] = ROTATE( source[t, offset + h * head_stride + c], position_t )
//
// Grid: a group of NW_GROUP a token.
// Budget: registers 40, stack 0, spills 0

#include "common/vectors.clh"
#include "common/rotary.clh"
#include "network/rows.clh"

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void rotate_rows(const __global float *restrict source, const int stride, const int offset, const int head_stride,
                 const int heads, const int channels, const __global float *restrict rotary,
                 const __global int *restrict token_positions, __global float *restrict out, const int out_stride,
                 const int out_offset, const int out_head_stride)
{
  const size_t token = get_group_id(0);
  const __global float *table = rotary + (size_t)token_positions[token] * 2 * channels;
  for (int h = 0; h < heads; ++h) {
    const __global float *from = source + token * stride + offset + h * head_stride;
    __global float *to = out + token * out_stride + out_offset + h * out_head_stride;
    for (int c = get_local_id(0) * WV_LANES; c < channels; c += NW_STEP)
      wv_store_some(wr_rotate(from, table, c, channels), to, c, channels);
  }
}
