// Mixtures of two rows: out[r, c] = weights[r] * source[a, c] + (1 - weights[r]) * source[b, c], (a, b) = indices[r].
// An index of -1 stands for a row of zeros. Grid: a group of NW_GROUP a row.
//
// Budget: registers 40, stack 0, spills 0

#include "common/vectors.clh"
#include "network/rows.clh"

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void blend_rows(const __global float *restrict source, const __global int *restrict indices,
                const __global float *restrict weights, __global float *restrict out, const int width)
{
  const size_t row = get_group_id(0);
  const int first = indices[2 * row], second = indices[2 * row + 1];
  const float weight = weights[row];
  for (int c = get_local_id(0) * WV_LANES; c < width; c += NW_STEP) {
    wv_float a = (wv_float)(0.0f), b = (wv_float)(0.0f);
    if (first >= 0) a = wv_load_some(source + (size_t)first * width, c, width);
    if (second >= 0) b = wv_load_some(source + (size_t)second * width, c, width);
    wv_store_some(weight * a + (1.0f - weight) * b, out + row * width, c, width);
  }
}
