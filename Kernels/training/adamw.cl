// One step of AdamW (Loshchilov and Hutter, 2019) in PyTorch's form, element by element and in place:
//
//   g = gradient * min(1, maximum_norm / (sqrt(sum of squares) + 1e-6))
//   m = m + (1 - beta1) (g - m)            v = beta2 v + (1 - beta2) g^2
//   p = p * decay - step_size * m / (sqrt(v) * root_scale + epsilon)
//
// decay = 1 - learning rate * weight decay, step_size = learning rate / (1 - beta1^t), root_scale = 1 / sqrt(1 - beta2^t):
// from the host, in double. squares [slots], from training/square_sum.cl, are added in order.
// Grid: vectors of WV_LANES elements, in groups of TR_GROUP.
//
// Budget: registers 40, stack 0, spills 0

#include "common/vectors.clh"

#ifndef TR_GROUP
#define TR_GROUP (WEFT_VARIANT_GPU ? 64 : 1)   // work-items a group
#endif
#ifndef TR_RUN
#define TR_RUN (WEFT_VARIANT_GPU ? 1 : 64)     // vectors a work-item, TR_GROUP apart
#endif

__kernel __attribute__((reqd_work_group_size(TR_GROUP, 1, 1)))
void adamw(__global float *restrict parameter, __global float *restrict first, __global float *restrict second,
           const __global float *restrict gradient, const int count, const __global float *restrict squares,
           const int slots, const float maximum_norm, const float decay, const float step_size,
           const float root_scale, const float beta1_rest, const float beta2, const float beta2_rest,
           const float epsilon)
{
  float sum = 0.0f;
  for (int slot = 0; slot < slots; ++slot) sum += squares[slot];
  // A norm that is not a number makes parameters that are none; fmin would hide it.
  const float share = maximum_norm / (sqrt(sum) + 1e-6f);
  const float clip = isinf(maximum_norm) || share >= 1.0f ? 1.0f : share;

  const int start = (get_group_id(0) * TR_GROUP * TR_RUN + get_local_id(0)) * WV_LANES;
  for (int k = 0; k < TR_RUN; ++k) {
    const int at = start + k * TR_GROUP * WV_LANES;
    if (at >= count) return;
    const wv_float g = clip * wv_load_some(gradient, at, count);
    wv_float m = wv_load_some(first, at, count), v = wv_load_some(second, at, count);
    m = fma((wv_float)(beta1_rest), g - m, m);
    v = fma(beta2_rest * g, g, beta2 * v);
    const wv_float p = decay * wv_load_some(parameter, at, count);
    wv_store_some(m, first, at, count);
    wv_store_some(v, second, at, count);
    wv_store_some(p - step_size * m / fma(sqrt(v), (wv_float)(root_scale), (wv_float)(epsilon)), parameter, at, count);
  }
}
