// Attention (network/attention.clh), CPU-device variant: a work-item keeps PW_ROWS queries of one head.
//
//      keys ->  | panel | panel | ...        scores: PW_ROWS x PW_PANEL in registers, as in pairwise/tile_cpu.clh
//   PW_ROWS     |  exp  |                    then weights x values, AT_BLOCK vectors of channels at a time
//   queries     +-------+                   for AT_ROWS queries: as many sums as registers hold
//
// Grid: segment after segment, head after head, a work-item for each of `query_tiles` tiles, those of the longest
// sequence.

#include "common/vectors.clh"
#include "common/math.clh"
#include "common/segments.clh"
#include "common/precision.clh"
#include "network/attention.clh"
#include "pairwise/shape.clh"
#include "pairwise/tile_cpu.clh"

#if PW_ROWS > WV_LANES
#error "the rows' maxima are in one vector"
#endif
#define AT_VECTORS ((AT_CHANNELS + WV_LANES - 1) / WV_LANES)
#ifndef AT_ROWS
#define AT_ROWS (PW_BLOCKED ? 4 : PW_ROWS)   // queries whose values are summed at a time; divides PW_ROWS
#endif
#ifndef AT_BLOCK
// vectors of value channels summed at a time; divides AT_VECTORS
#define AT_BLOCK (PW_BLOCKED || AT_VECTORS % 2 ? 1 : 2)
#endif

// Turns a panel's scores into weights, and rescales what the rows had gathered before it.
static inline void at_weigh(wv_float tile[PW_ROWS][PW_VECTORS], const int keys, const float scale,
                            float weights[PW_ROWS][PW_PANEL], wv_float gathered[PW_ROWS][AT_VECTORS],
                            float maximum[PW_ROWS], float total[PW_ROWS])
{
  // The rows' maxima are raised together, so that one vector of exponentials serves all rows.
  float fades[WV_LANES];
  #pragma unroll
  for (int r = PW_ROWS; r < WV_LANES; ++r) fades[r] = 0.0f;
  #pragma unroll
  for (int r = 0; r < PW_ROWS; ++r) {
    wv_float largest = (wv_float)(-INFINITY);
    #pragma unroll
    for (int v = 0; v < PW_VECTORS; ++v) {
      tile[r][v] *= scale;
      if (keys < PW_PANEL)
        tile[r][v] = select((wv_float)(-INFINITY), tile[r][v], wv_iota + v * WV_LANES < keys);
      largest = fmax(largest, tile[r][v]);
    }
    const float raised = fmax(maximum[r], wv_max(largest));
    fades[r] = maximum[r] - raised;
    maximum[r] = raised;
  }
  wv_store(wm_exp(wv_load(0, fades)), 0, fades);
  for (int r = 0; r < PW_ROWS; ++r) {
    wv_float sum = (wv_float)(0.0f);
    #pragma unroll
    for (int v = 0; v < PW_VECTORS; ++v) {
      const wv_float weight = wm_exp(tile[r][v] - maximum[r]);
      wv_store(weight, v, weights[r]);
      sum += weight;
    }
    total[r] = fma(total[r], fades[r], wv_sum(sum));
    #pragma unroll
    for (int v = 0; v < AT_VECTORS; ++v) gathered[r][v] *= fades[r];
  }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention(const __global float *restrict queries, const int query_stride, const int query_offset,
               const __global float *restrict keys, const __global float *restrict values, const int value_stride,
               const int value_offset, __global float *restrict out, const int heads, const float scale,
               const __global ws_segment *restrict segments, const int query_tiles)
{
  const int group = get_group_id(0), matrix = group / query_tiles;
  const ws_segment segment = segments[matrix / heads];
  const int head = matrix % heads;
  const int i0 = group % query_tiles * PW_ROWS;
  const int n = segment.count;
  if (i0 >= n) return;

  const __global float *row[PW_ROWS];
  pw_row_pointers(queries + (size_t)segment.first_row * query_stride + query_offset + head * AT_CHANNELS, query_stride,
                  i0, n, row);
  const __global float *value =
    values + (size_t)segment.first_row * value_stride + value_offset + head * AT_CHANNELS;

  wv_float gathered[PW_ROWS][AT_VECTORS];
  float maximum[PW_ROWS], total[PW_ROWS];
  for (int r = 0; r < PW_ROWS; ++r) {
    maximum[r] = -FLT_MAX;
    total[r] = 0.0f;
    for (int v = 0; v < AT_VECTORS; ++v) gathered[r][v] = (wv_float)(0.0f);
  }

  for (int j0 = 0; j0 < n; j0 += PW_PANEL) {
    const __global float *panel =
      keys + ((size_t)(segment.first_panel + j0 / PW_PANEL) * heads + head) * AT_CHANNELS * PW_PANEL;
    wv_float tile[PW_ROWS][PW_VECTORS];
    float weights[PW_ROWS][PW_PANEL];
    const int count = min(PW_PANEL, n - j0);
    pw_product(row, panel, AT_CHANNELS, 0, count, tile);
    at_weigh(tile, count, scale, weights, gathered, maximum, total);

    #pragma unroll 1
    for (int r0 = 0; r0 < PW_ROWS; r0 += AT_ROWS)
      #pragma unroll 1
      for (int block = 0; block < AT_VECTORS; block += AT_BLOCK) {
        wv_float sum[AT_ROWS][AT_BLOCK];
        #pragma unroll
        for (int r = 0; r < AT_ROWS; ++r)
          #pragma unroll
          for (int v = 0; v < AT_BLOCK; ++v) sum[r][v] = gathered[r0 + r][block + v];
        for (int j = 0; j < count; ++j) {
          wv_float lane[AT_BLOCK];
          #pragma unroll
          for (int v = 0; v < AT_BLOCK; ++v)
            lane[v] = wv_load_some(value + (size_t)(j0 + j) * value_stride, (block + v) * WV_LANES, AT_CHANNELS);
          #pragma unroll
          for (int r = 0; r < AT_ROWS; ++r)
            #pragma unroll
            for (int v = 0; v < AT_BLOCK; ++v) sum[r][v] = fma((wv_float)(weights[r0 + r][j]), lane[v], sum[r][v]);
        }
        #pragma unroll
        for (int r = 0; r < AT_ROWS; ++r)
          #pragma unroll
          for (int v = 0; v < AT_BLOCK; ++v) gathered[r0 + r][block + v] = sum[r][v];
      }
  }

  for (int r = 0; r < min(PW_ROWS, n - i0); ++r) {
    __global float *to = out + ((size_t)(segment.first_row + i0 + r) * heads + head) * AT_CHANNELS;
    for (int v = 0; v < AT_VECTORS; ++v) wv_store_some(gathered[r][v] / total[r], to, v * WV_LANES, AT_CHANNELS);
  }
}
