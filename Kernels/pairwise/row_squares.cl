// The squared length of each row:
//
//   out[i] = sum_c rows[i, c]^2        c = 0 ..< channels
//
// rows [*, stride] row major; a row's vector starts at channel offset. Grid: a group of NW_GROUP a row.
//
// Budget: registers 32, stack 0, spills 0

#include "common/vectors.clh"
#include "network/rows.clh"

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void row_squares(const __global float *restrict rows, const int stride, const int offset, const int channels,
                 __global float *restrict out)
{
  __local float part[NW_GROUP];
  const size_t row = get_group_id(0);
  const __global float *from = rows + row * stride + offset;
  wv_float sum = (wv_float)(0.0f);
  for (int c = get_local_id(0) * WV_LANES; c < channels; c += NW_STEP) {
    const wv_float value = wv_load_some(from, c, channels);   // lanes past the end are 0
    sum = fma(value, value, sum);
  }
  const float square = nw_group_sum(wv_sum(sum), part);
  if (get_local_id(0) == 0) out[row] = square;
}
