// Each sample's threshold (Saharia et al., 2022): a quantile of |x0| over its elements, limited to 1 ... LIMIT.
//
//   x0 = p x + q o        threshold[b] = clamp(v_k + fraction (v_(k+1) - v_k), 1, LIMIT)
//
// v_0 <= v_1 <= ... are the sample's |x0|. Bits of positive floats order as the floats do, so v_k is found bit
// by bit: 31 counts, exact, without sorting and without memory. A group takes one sample.

#include "common/vectors.clh"
#include "common/philox.clh"
#include "common/coefficients.clh"
#include "denoise/grid.clh"

#if WEFT_VARIANT_GPU
#define dn_bits as_int4
#else
#define dn_bits as_int16
#endif
#define DN_INFINITY 0x7f800000

// |x0| as bits.
static inline wv_int dn_magnitude(const __global float *row, const __global float *x, const __global float *o,
                                  const int e, const int elements)
{
  return dn_bits(fabs(fma((wv_float)(row[CF_P]), wv_load_some(x, e, elements),
                          row[CF_Q] * wv_load_some(o, e, elements))));
}

__kernel __attribute__((reqd_work_group_size(DN_GROUP, 1, 1)))
void absolute_quantile(const __global float *table, const int first_row, const int row_stride,
                       const __global float *restrict x, const __global float *restrict o, const int output_stride,
                       __global float *restrict thresholds, const int elements, const int rank, const float fraction)
{
  __local int part[DN_GROUP], least[DN_GROUP];
  __local int found;
  const int id = get_local_id(0);
  const int sample = get_group_id(0);
  const __global float *row = cf_row(table, first_row, row_stride, sample);
  const __global float *from = x + (size_t)sample * elements;
  const __global float *output = o + (size_t)sample * output_stride;
  if (id == 0) found = 0;

  // Bit by bit the largest number that at most `rank` magnitudes lie below: v_rank itself. A last pass, at bit -1,
  // looks at what lies above it. One work-item adds up the parts: two barriers a pass.
  for (int bit = 30; bit >= -1; --bit) {
    barrier(CLK_LOCAL_MEM_FENCE);
    const int bound = bit >= 0 ? found | (1 << bit) : found + 1;
    wv_int below = (wv_int)(0), next = (wv_int)(DN_INFINITY);
    for (int e = id * WV_LANES; e < elements; e += DN_GROUP * WV_LANES) {
      const wv_int bits = dn_magnitude(row, from, output, e, elements), inside = wv_iota + e < elements;
      below -= inside & (bits < bound);
      next = min(next, select((wv_int)(DN_INFINITY), bits, inside & (bits >= bound)));
    }
    int lane[WV_LANES], above[WV_LANES];
    wv_store(below, 0, lane);
    wv_store(next, 0, above);
    for (int i = 1; i < WV_LANES; ++i) {
      lane[0] += lane[i];
      above[0] = min(above[0], above[i]);
    }
    part[id] = lane[0];
    least[id] = above[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (id == 0) {
      for (int i = 1; i < DN_GROUP; ++i) {
        part[0] += part[i];
        least[0] = min(least[0], least[i]);
      }
      if (bit >= 0 && part[0] <= rank) found = bound;
    }
  }

  if (id == 0) {
    const float here = as_float(found);
    const float next = part[0] > rank + 1 ? here : as_float(least[0]);
    const float value = fraction > 0.0f ? fma(fraction, next - here, here) : here;
    thresholds[sample] = clamp(value, 1.0f, row[CF_LIMIT]);
  }
}
