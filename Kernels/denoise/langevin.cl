// One corrector step of annealed Langevin dynamics (Song et al., 2021), each sample with a step size of its own:
//
//   s = -(pe x + qe o) / sigma        step = 2 factor (snr |z| / |s|)^2        x <- x + step s + sqrt(2 step) z
//
// A first pass draws z for its norm, a second draws it again to use it: cheaper than to store it. A group takes one
// sample, so the step does not depend on the batch. Where the score vanishes, x stays.
// Budget: registers 64, stack 0, spills 0

#include "common/vectors.clh"
#include "common/philox.clh"
#include "common/coefficients.clh"
#include "denoise/grid.clh"
#include "denoise/sums.clh"

__kernel __attribute__((reqd_work_group_size(DN_GROUP, 1, 1)))
void langevin_step(const __global float *table, const int first_row, const int row_stride, __global float *x,
                   const __global float *o, const int output_stride, const __global ph_identity *identities,
                   const int elements, const int noise_step, const int stream, const float snr, const float factor)
{
  __local float part[DN_GROUP];
  const int sample = get_group_id(0);
  const __global float *row = cf_row(table, first_row, row_stride, sample);
  const ph_identity who = identities[sample];
  __global float *at = x + (size_t)sample * elements;
  const __global float *output = o + (size_t)sample * output_stride;
  const float to_score = -1.0f / row[CF_SIGMA];
  const int blocks = (elements + PH_BLOCK - 1) / PH_BLOCK;

  wv_float scores = (wv_float)(0.0f), noises = (wv_float)(0.0f);
  for (int block = get_local_id(0); block < blocks; block += DN_GROUP) {
    wv_float z[PH_VECTORS];
    ph_normals(block, noise_step, who, stream, z);
    #pragma unroll
    for (int v = 0; v < PH_VECTORS; ++v) {
      const int e = block * PH_BLOCK + v * WV_LANES;
      const wv_float epsilon = fma((wv_float)(row[CF_EPSILON_P]), wv_load_some(at, e, elements),
                                   row[CF_EPSILON_Q] * wv_load_some(output, e, elements));
      const wv_float noise = select((wv_float)(0.0f), z[v], wv_iota + e < elements);
      scores = fma(epsilon, epsilon, scores);
      noises = fma(noise, noise, noises);
    }
  }
  const float score_norm = fabs(to_score) * sqrt(dn_group_sum(wv_sum(scores), part));
  const float noise_norm = sqrt(dn_group_sum(wv_sum(noises), part));
  const float ratio = score_norm > 0.0f ? snr * noise_norm / score_norm : 0.0f;
  const float step = 2.0f * factor * ratio * ratio;
  const float deviation = sqrt(2.0f * step);

  for (int block = get_local_id(0); block < blocks; block += DN_GROUP) {
    wv_float z[PH_VECTORS];
    ph_normals(block, noise_step, who, stream, z);
    #pragma unroll
    for (int v = 0; v < PH_VECTORS; ++v) {
      const int e = block * PH_BLOCK + v * WV_LANES;
      const wv_float from = wv_load_some(at, e, elements);
      const wv_float epsilon =
        fma((wv_float)(row[CF_EPSILON_P]), from, row[CF_EPSILON_Q] * wv_load_some(output, e, elements));
      wv_store_some(fma((wv_float)(deviation), z[v], fma((wv_float)(step * to_score), epsilon, from)), at, e, elements);
    }
  }
}
