// Attention (network/attention.clh), GPU variant: a work-item keeps one query and all its channels in registers;
// a group of AT_QUERIES shares the keys and values of AT_KEYS positions, staged in local memory.
//
//   key stage   [AT_CHANNELS][AT_KEYS]   from the panel, neighbours read neighbouring keys
//   value stage [AT_KEYS][AT_CHANNELS]   from rows, neighbours read neighbouring channels
//
// Grid: segment after segment, head after head, a group for each of `query_tiles` stretches of AT_QUERIES queries,
// those of the longest sequence.

#include "common/vectors.clh"
#include "common/math.clh"
#include "common/segments.clh"
#include "network/attention.clh"
#include "pairwise/shape.clh"

#ifndef AT_QUERIES
#define AT_QUERIES 64     // queries a group
#endif
#ifndef AT_KEYS
#define AT_KEYS (AT_CHANNELS > 256 ? 8 : 16)   // keys staged at a time; divides PW_PANEL, a multiple of WV_LANES
#endif

static inline float at_exp(const float x) { return wm_exp((wv_float)(x)).x; }

__kernel __attribute__((reqd_work_group_size(AT_QUERIES, 1, 1)))
void attention(const __global float *restrict queries, const int query_stride, const int query_offset,
               const __global float *restrict keys, const __global float *restrict values, const int value_stride,
               const int value_offset, __global float *restrict out, const int heads, const float scale,
               const __global ws_segment *restrict segments, const int query_tiles)
{
  __local float key_stage[AT_CHANNELS][AT_KEYS];
  __local float value_stage[AT_KEYS][AT_CHANNELS];

  const int group = get_group_id(0), matrix = group / query_tiles;
  const ws_segment segment = segments[matrix / heads];
  const int head = matrix % heads;
  const int n = segment.count;
  const int i0 = group % query_tiles * AT_QUERIES;
  if (i0 >= n) return;
  const int i = i0 + get_local_id(0);
  const size_t query_row = segment.first_row + min(i, n - 1);   // the last tile's spare items repeat the last query

  float query[AT_CHANNELS], gathered[AT_CHANNELS];
  for (int c = 0; c < AT_CHANNELS; ++c) {
    query[c] = queries[query_row * query_stride + query_offset + head * AT_CHANNELS + c];
    gathered[c] = 0.0f;
  }
  float maximum = -FLT_MAX, total = 0.0f;

  for (int j0 = 0; j0 < n; j0 += AT_KEYS) {
    const __global float *panel =
      keys + ((size_t)(segment.first_panel + j0 / PW_PANEL) * heads + head) * AT_CHANNELS * PW_PANEL + j0 % PW_PANEL;
    const __global float *value =
      values + (size_t)(segment.first_row + j0) * value_stride + value_offset + head * AT_CHANNELS;
    const int count = min(AT_KEYS, n - j0);
    for (int e = get_local_id(0); e < AT_CHANNELS * AT_KEYS; e += AT_QUERIES) {
      key_stage[e / AT_KEYS][e % AT_KEYS] = panel[e / AT_KEYS * PW_PANEL + e % AT_KEYS];
      value_stage[e / AT_CHANNELS][e % AT_CHANNELS] =
        e / AT_CHANNELS < count ? value[(size_t)(e / AT_CHANNELS) * value_stride + e % AT_CHANNELS] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    float weight[AT_KEYS];
    float largest = maximum;
    for (int j = 0; j < AT_KEYS; ++j) weight[j] = 0.0f;
    for (int c = 0; c < AT_CHANNELS; ++c)
      #pragma unroll
      for (int j = 0; j < AT_KEYS; ++j) weight[j] = fma(query[c], key_stage[c][j], weight[j]);
    #pragma unroll
    for (int j = 0; j < AT_KEYS; ++j) {
      weight[j] = j < count ? weight[j] * scale : -INFINITY;
      largest = fmax(largest, weight[j]);
    }
    const float fade = at_exp(maximum - largest);
    maximum = largest;
    total *= fade;
    #pragma unroll
    for (int j = 0; j < AT_KEYS; ++j) {
      weight[j] = at_exp(weight[j] - largest);
      total += weight[j];
    }
    for (int c = 0; c < AT_CHANNELS; ++c) {
      float sum = gathered[c] * fade;
      #pragma unroll
      for (int j = 0; j < AT_KEYS; ++j) sum = fma(weight[j], value_stage[j][c], sum);
      gathered[c] = sum;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }

  if (i < n) {
    __global float *to = out + ((size_t)(segment.first_row + i) * heads + head) * AT_CHANNELS;
    for (int c = 0; c < AT_CHANNELS; ++c) to[c] = gathered[c] / total;
  }
}
