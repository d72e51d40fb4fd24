// One number for each sample: a sum over its elements e.
//
//   DN_SUM = 0    out[b] = sum_e a[b, e] * c[b, e]
//   DN_SUM = 1    out[b] = sum_e (a[b, e] / (absolute + relative * max(|c[b, e]|, |d[b, e]|)))^2
//
// The second is the error of an adaptive step from c to d, measured against its tolerance. A group sums one sample.
// Budget: registers 80, stack 0, spills 0

#include "common/vectors.clh"
#include "common/philox.clh"
#include "denoise/grid.clh"
#include "denoise/sums.clh"

#ifndef DN_SUM
#define DN_SUM 0
#endif
#define DN_BATCH (WEFT_VARIANT_GPU ? 4 : 1)   // vectors a work-item loads before it uses them; a GPU waits once for all
#define DN_STEP (DN_GROUP * WV_LANES)

__kernel __attribute__((reqd_work_group_size(DN_GROUP, 1, 1)))
void sample_sum(const __global float *a, const __global float *c, const __global float *d, __global float *restrict out,
                const int elements, const float absolute, const float relative)
{
  __local float part[DN_GROUP];
  const int sample = get_group_id(0);
  const size_t start = (size_t)sample * elements;
  wv_float sum = (wv_float)(0.0f);
  for (int e0 = get_local_id(0) * WV_LANES; e0 < elements; e0 += DN_BATCH * DN_STEP) {
    wv_float first[DN_BATCH], second[DN_BATCH];
#if DN_SUM == 1
    wv_float third[DN_BATCH];
#endif
    #pragma unroll
    for (int k = 0; k < DN_BATCH; ++k) {
      first[k] = wv_load_some(a + start, e0 + k * DN_STEP, elements);
      second[k] = wv_load_some(c + start, e0 + k * DN_STEP, elements);
#if DN_SUM == 1
      third[k] = wv_load_some(d + start, e0 + k * DN_STEP, elements);
#endif
    }
    #pragma unroll
    for (int k = 0; k < DN_BATCH; ++k) {
#if DN_SUM == 0
      sum = fma(first[k], second[k], sum);
#else
      const wv_float largest = fmax(fabs(second[k]), fabs(third[k]));
      // Lanes past the end hold zeros: without a tolerance they must not divide by it.
      const wv_float allowed = select((wv_float)(1.0f), fma((wv_float)(relative), largest, (wv_float)(absolute)),
                                      wv_iota + e0 + k * DN_STEP < elements);
      sum = fma(first[k] / allowed, first[k] / allowed, sum);
#endif
    }
  }
  const float total = dn_group_sum(wv_sum(sum), part);
  if (get_local_id(0) == 0) out[sample] = total;
}
