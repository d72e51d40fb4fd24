// Each sample's threshold (Saharia et al., 2022): a quantile of |x0| over its elements, limited to 1 ... LIMIT.
//
//   x0 = p x + q o        threshold[b] = clamp(v_k + fraction (v_(k+1) - v_k), 1, LIMIT)
//
// v_0 <= v_1 <= ... are the sample's |x0|. Bits of positive floats order as the floats do, so v_k is found from its
// highest bit down: exact, without sorting and without memory. A CPU device finds a bit with each pass over the sample; a
// GPU four, with 15 counts at once, as its passes are long waits for memory. A group takes one sample.
// Budget: registers 160, stack 0, spills 0

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

#if WEFT_VARIANT_GPU
#define DN_DIGIT 4        // bits found at once
#define DN_BOUNDS 15      // and so counts
#define DN_ROW (DN_GROUP / 4 + 1)   // a bound's counts, in fours; the spare four puts neighbouring rows in other banks
#define DN_BATCH 4        // vectors a work-item loads before it uses them
#define DN_STEP (DN_GROUP * WV_LANES)

// Magnitudes at e, e + DN_STEP, ...; those past the last are larger than any other.
static inline void dn_magnitudes(const __global float *row, const __global float *x, const __global float *o, const int e,
                                 const int elements, uint4 bits[DN_BATCH])
{
  #pragma unroll
  for (int k = 0; k < DN_BATCH; ++k)
    bits[k] = as_uint4(dn_magnitude(row, x, o, e + k * DN_STEP, elements));
  #pragma unroll
  for (int k = 0; k < DN_BATCH; ++k)
    bits[k] = select((uint4)(UINT_MAX), bits[k], as_uint4(wv_iota + e + k * DN_STEP < elements));
}
#endif

__kernel __attribute__((reqd_work_group_size(DN_GROUP, 1, 1)))
void absolute_quantile(const __global float *table, const int first_row, const int row_stride,
                       const __global float *restrict x, const __global float *restrict o, const int output_stride,
                       __global float *restrict thresholds, const int elements, const int rank, const float fraction)
{
  const int id = get_local_id(0);
  const int sample = get_group_id(0);
  const __global float *row = cf_row(table, first_row, row_stride, sample);
  const __global float *from = x + (size_t)sample * elements;
  const __global float *output = o + (size_t)sample * output_stride;

#if WEFT_VARIANT_GPU
  __local int4 counts[DN_BOUNDS * DN_ROW];
  __local int totals[DN_BOUNDS];
  __local int *mine = (__local int *)counts + id;

  // The largest number that at most `rank` magnitudes lie below: v_rank itself.
  uint found = 0;
  for (int shift = 32 - DN_DIGIT; shift >= 0; shift -= DN_DIGIT) {
    uint4 below[DN_BOUNDS];
    #pragma unroll
    for (int t = 0; t < DN_BOUNDS; ++t) below[t] = (uint4)(0);
    for (int e = id * WV_LANES; e < elements; e += DN_BATCH * DN_STEP) {
      uint4 bits[DN_BATCH];
      dn_magnitudes(row, from, output, e, elements, bits);
      #pragma unroll
      for (int k = 0; k < DN_BATCH; ++k)
        #pragma unroll
        for (int t = 0; t < DN_BOUNDS; ++t) below[t] -= as_uint4(bits[k] < found + ((uint)(t + 1) << shift));
    }
    #pragma unroll
    for (int t = 0; t < DN_BOUNDS; ++t)
      mine[t * 4 * DN_ROW] = (below[t].x + below[t].y) + (below[t].z + below[t].w);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (id < DN_BOUNDS) {
      int4 sum = (int4)(0);
      for (int i = 0; i < DN_GROUP / 4; ++i) sum += counts[id * DN_ROW + i];
      totals[id] = (sum.x + sum.y) + (sum.z + sum.w);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    uint digit = 0;
    #pragma unroll
    for (int t = 0; t < DN_BOUNDS; ++t) digit += totals[t] <= rank;
    found |= digit << shift;
  }

  // How many lie no higher, and the least that does.
  uint4 below = (uint4)(0), above = (uint4)(DN_INFINITY);
  for (int e = id * WV_LANES; e < elements; e += DN_BATCH * DN_STEP) {
    uint4 bits[DN_BATCH];
    dn_magnitudes(row, from, output, e, elements, bits);
    #pragma unroll
    for (int k = 0; k < DN_BATCH; ++k) {
      below -= as_uint4(bits[k] <= found);
      above = min(above, select((uint4)(DN_INFINITY), bits[k], as_uint4(bits[k] > found)));
    }
  }
  mine[0] = (below.x + below.y) + (below.z + below.w);
  mine[4 * DN_ROW] = min(min(above.x, above.y), min(above.z, above.w));
  barrier(CLK_LOCAL_MEM_FENCE);
  int4 part = (int4)(0), least = (int4)(DN_INFINITY);
  if (id == 0)
    for (int i = 0; i < DN_GROUP / 4; ++i) {
      part += counts[i];
      least = min(least, counts[DN_ROW + i]);
    }
  const int not_above = (part.x + part.y) + (part.z + part.w);
  const int first_above = min(min(least.x, least.y), min(least.z, least.w));
#else
  __local int part[DN_GROUP], least[DN_GROUP];
  __local int found;
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
  const int not_above = part[0], first_above = least[0];
#endif

  if (id == 0) {
    const float here = as_float(found);
    const float next = not_above > rank + 1 ? here : as_float(first_above);
    const float value = fraction > 0.0f ? fma(fraction, next - here, here) : here;
    thresholds[sample] = clamp(value, 1.0f, row[CF_LIMIT]);
  }
}
