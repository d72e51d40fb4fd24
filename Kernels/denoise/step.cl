// One step of any sampler, fused: every element is read once and written once.
//
//   x0      = clip(p x + q o)                       epsilon = pe x + qe o  (before clipping)
//   x'      = A x + B0 x0 + E epsilon + sum_k H_k history_k + C sqrt(V) z
//
// x, x', history, kept_* [samples, elements]; o [samples, output_stride]: a second head, if there is one, follows the
// first. z is drawn here (common/philox.clh) at step number `noise_step`. x' may be x. Coefficients: see
// common/coefficients.clh; grid: see denoise/grid.clh. What a step does not use is compiled out.
//
// Budget: registers 64, stack 16, spills 0, scratch 0

#include "common/vectors.clh"
#include "common/math.clh"
#include "common/philox.clh"
#include "common/coefficients.clh"
#include "denoise/grid.clh"
#include "denoise/variance.clh"

#ifndef DN_EVALUATED
#define DN_EVALUATED 1        // 0: there is no output; p, q, B0 and E do nothing
#endif
#ifndef DN_HISTORY
#define DN_HISTORY 0          // earlier registers in the sum, at most 3
#endif
#ifndef DN_NOISE
#define DN_NOISE 0            // 1: noise is drawn
#endif
#define DN_CLIP_NONE 0
#define DN_CLIP_LIMIT 1       // to +- LIMIT
#define DN_CLIP_THRESHOLD 2   // to each sample's threshold, then divided by it
#ifndef DN_CLIP
#define DN_CLIP DN_CLIP_NONE  // one of these
#endif
#ifndef DN_KEEP_X0
#define DN_KEEP_X0 0          // 1: x0 is stored
#endif
#ifndef DN_KEEP_EPSILON
#define DN_KEEP_EPSILON 0     // 1: epsilon is stored
#endif

// x and x' may be one buffer, and so may a history and x': no `restrict`. Every lane reads before it writes.
__kernel __attribute__((reqd_work_group_size(DN_GROUP, 1, 1)))
void denoise_step(const __global float *table, const int first_row, const int row_stride,
                  const __global float *x, const __global float *o, const int output_stride, __global float *next,
                  const __global float *history0, const __global float *history1, const __global float *history2,
                  __global float *kept_x0, __global float *kept_epsilon, const __global float *thresholds,
                  const __global ph_identity *identities, const int elements, const int groups_per_sample,
                  const int noise_step, const int stream)
{
  const int sample = DN_SAMPLE(groups_per_sample);
  const __global float *row = cf_row(table, first_row, row_stride, sample);
  const size_t start = (size_t)sample * elements;
  const __global float *output = o + (size_t)sample * output_stride;
#if DN_NOISE
  const ph_identity who = identities[sample];
#endif
#if DN_CLIP == DN_CLIP_THRESHOLD
  const float threshold = thresholds[sample];
#endif

  for (int run = 0; run < DN_RUN; ++run) {
    const int block = DN_FIRST_BLOCK(groups_per_sample) + run * DN_GROUP;
    if (block * PH_BLOCK >= elements) return;
#if DN_NOISE
    wv_float z[PH_VECTORS];
    ph_normals(block, noise_step, who, stream, z);
#endif
    #pragma unroll
    for (int v = 0; v < PH_VECTORS; ++v) {
      const int e = block * PH_BLOCK + v * WV_LANES;
      const wv_float from = wv_load_some(x + start, e, elements);
      wv_float sum = row[CF_A] * from;
#if DN_EVALUATED
      const wv_float out = wv_load_some(output, e, elements);
      wv_float x0 = fma((wv_float)(row[CF_P]), from, row[CF_Q] * out);
      const wv_float epsilon = fma((wv_float)(row[CF_EPSILON_P]), from, row[CF_EPSILON_Q] * out);
#if DN_CLIP == DN_CLIP_LIMIT
      x0 = clamp(x0, -row[CF_LIMIT], row[CF_LIMIT]);
#elif DN_CLIP == DN_CLIP_THRESHOLD
      x0 = clamp(x0, -threshold, threshold) / threshold;
#endif
      sum = fma((wv_float)(row[CF_B0]), x0, sum);
      sum = fma((wv_float)(row[CF_E]), epsilon, sum);
#endif
#if DN_HISTORY > 0
      sum = fma((wv_float)(row[CF_H]), wv_load_some(history0 + start, e, elements), sum);
#endif
#if DN_HISTORY > 1
      sum = fma((wv_float)(row[CF_H + 1]), wv_load_some(history1 + start, e, elements), sum);
#endif
#if DN_HISTORY > 2
      sum = fma((wv_float)(row[CF_H + 2]), wv_load_some(history2 + start, e, elements), sum);
#endif
#if DN_NOISE && DN_VARIANCE != DN_FIXED
      const wv_float second = wv_load_some(output + elements, e, elements);
      sum = fma(row[CF_C] * dn_deviation(row, second, epsilon), z[v], sum);
#elif DN_NOISE
      sum = fma((wv_float)(row[CF_C]), z[v], sum);
#endif
      wv_store_some(sum, next + start, e, elements);
#if DN_KEEP_X0
      wv_store_some(x0, kept_x0 + start, e, elements);
#endif
#if DN_KEEP_EPSILON
      wv_store_some(epsilon, kept_epsilon + start, e, elements);
#endif
    }
  }
}
