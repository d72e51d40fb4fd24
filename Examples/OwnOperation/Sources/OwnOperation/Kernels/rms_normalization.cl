// RMS normalisation of each row (Zhang and Sennrich, 2019):
//
//   out[t, c] = x[t, c] / sqrt(sum_c x[t, c]^2 / channels + epsilon) * gain[c]
//
// Grid: a group of NW_GROUP work-items a row, which walks it in vectors.

#include "common/vectors.clh"
#include "network/rows.clh"

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void rms_normalization(const __global float *restrict x, const __global float *restrict gain, __global float *restrict out,
                       const int channels, const float epsilon)
{
  __local float part[NW_GROUP];
  const size_t row = get_group_id(0);
  const __global float *from = x + row * channels;
  __global float *to = out + row * channels;
  const int first = get_local_id(0) * WV_LANES;

  wv_float squares = (wv_float)(0.0f);
  for (int c = first; c < channels; c += NW_STEP) {
    const wv_float value = wv_load_some(from, c, channels);   // lanes past the end are 0
    squares = fma(value, value, squares);
  }
  const float scale = 1.0f / sqrt(nw_group_sum(wv_sum(squares), part) / channels + epsilon);

  for (int c = first; c < channels; c += NW_STEP)
    wv_store_some(wv_load_some(from, c, channels) * scale * wv_load_some(gain, c, channels), to, c, channels);
}
