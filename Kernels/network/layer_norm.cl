// Layer normalisation of each row:
//
//   out[t, c] = (x[t, c] - mean_t) / sqrt(variance_t + epsilon) * gain[c] + bias[c]
//
// mean and (population) variance over the row's channels, in two passes. Grid: a group of NW_GROUP a row.
// Budget: registers 32, stack 0, spills 0

#include "common/vectors.clh"
#include "network/rows.clh"

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void layer_norm(const __global float *restrict x, __global float *restrict out, const __global float *restrict gain,
                const __global float *restrict bias, const int channels, const float epsilon)
{
  __local float part[NW_GROUP];
  const size_t row = get_group_id(0);
  const __global float *from = x + row * channels;
  __global float *to = out + row * channels;
  const int c_first = get_local_id(0) * WV_LANES;

  wv_float sum = (wv_float)(0.0f);
  for (int c = c_first; c < channels; c += NW_STEP) sum += wv_load_some(from, c, channels);
  const float mean = nw_group_sum(wv_sum(sum), part) / channels;

  wv_float squares = (wv_float)(0.0f);
  for (int c = c_first; c < channels; c += NW_STEP) {
    const wv_float distance = wv_load_some(from, c, channels) - mean;
    const wv_float kept = select((wv_float)(0.0f), distance, (wv_iota + c) < channels);
    squares = fma(kept, kept, squares);
  }
  const float variance = nw_group_sum(wv_sum(squares), part) / channels;
  const float scale = 1.0f / sqrt(variance + epsilon);

  for (int c = c_first; c < channels; c += NW_STEP) {
    const wv_float distance = wv_load_some(from, c, channels) - mean;
    wv_store_some(fma(distance * scale, wv_load_some(gain, c, channels), wv_load_some(bias, c, channels)), to, c,
                  channels);
  }
}
