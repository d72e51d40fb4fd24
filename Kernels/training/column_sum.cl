// The sums of a matrix's columns, such as the gradient of a bias:
//
//   out[c] = sum_t source[t, offset + c]        in order of t
//
// Rows are loaded TR_AHEAD at a time and added one by one: a device that waits long for memory has more to wait for.
// Grid: (groups of NW_GROUP work-items, each with TR_VECTORS vectors of columns).
//
// Budget: registers 64, stack 0, spills 0

#include "common/vectors.clh"
#include "network/rows.clh"

#ifndef TR_VECTORS
#define TR_VECTORS (WEFT_VARIANT_GPU ? 1 : 4)   // vectors of columns a work-item
#endif
#ifndef TR_AHEAD
#define TR_AHEAD (WEFT_VARIANT_GPU ? 8 : 2)     // rows in flight
#endif

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void column_sum(const __global float *restrict source, const int stride, const int offset, const int rows,
                const int columns, __global float *restrict out)
{
  const int first = get_global_id(0) * TR_VECTORS * WV_LANES;
  const __global float *from = source + offset;
  wv_float sum[TR_VECTORS];
  for (int v = 0; v < TR_VECTORS; ++v) sum[v] = (wv_float)(0.0f);

  for (int t = 0; t < rows; t += TR_AHEAD) {
    wv_float next[TR_AHEAD][TR_VECTORS];
    #pragma unroll
    for (int a = 0; a < TR_AHEAD; ++a)
      #pragma unroll
      for (int v = 0; v < TR_VECTORS; ++v)
        next[a][v] = wv_load_some(from + (size_t)min(t + a, rows - 1) * stride, first + v * WV_LANES, columns);
    #pragma unroll
    for (int a = 0; a < TR_AHEAD; ++a)
      #pragma unroll
      for (int v = 0; v < TR_VECTORS; ++v) sum[v] = t + a < rows ? sum[v] + next[a][v] : sum[v];
  }
  for (int v = 0; v < TR_VECTORS; ++v) wv_store_some(sum[v], out, first + v * WV_LANES, columns);
}
