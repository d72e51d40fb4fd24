// Noise for a whole sample, alone, on top of a known image, or only where a mask asks for it:
//
//   y = A base + C z            DN_BASE = 0: C z;  1: with a base
//   out = y, or mask out + (1 - mask) y             DN_MASK = 1: what the mask covers is kept
//
// out [samples, elements]; base and mask [samples or 1, elements] with base_stride, mask_stride = elements or 0.
// A and C stand in the table (common/coefficients.clh); z at counter (element / 4, noise_step, sample, stream).
// Budget: registers 40, stack 0, spills 0

#include "common/vectors.clh"
#include "common/philox.clh"
#include "common/coefficients.clh"
#include "denoise/grid.clh"

#ifndef DN_BASE
#define DN_BASE 0
#endif
#ifndef DN_MASK
#define DN_MASK 0
#endif

__kernel __attribute__((reqd_work_group_size(DN_GROUP, 1, 1)))
void draw_noise(const __global float *table, const int first_row, const int row_stride,
                const __global ph_identity *identities, const __global float *base, const int base_stride,
                const __global float *mask, const int mask_stride, __global float *out, const int elements,
                const int groups_per_sample, const int noise_step, const int stream)
{
  const int sample = DN_SAMPLE(groups_per_sample);
  const __global float *row = cf_row(table, first_row, row_stride, sample);
  const ph_identity who = identities[sample];
  __global float *to = out + (size_t)sample * elements;

  for (int run = 0; run < DN_RUN; ++run) {
    const int block = DN_FIRST_BLOCK(groups_per_sample) + run * DN_GROUP;
    if (block * PH_BLOCK >= elements) return;
    wv_float z[PH_VECTORS];
    ph_normals(block, noise_step, who, stream, z);
    #pragma unroll
    for (int v = 0; v < PH_VECTORS; ++v) {
      const int e = block * PH_BLOCK + v * WV_LANES;
      wv_float y = row[CF_C] * z[v];
#if DN_BASE
      y = fma((wv_float)(row[CF_A]), wv_load_some(base + (size_t)sample * base_stride, e, elements), y);
#endif
#if DN_MASK
      const wv_float kept = wv_load_some(mask + (size_t)sample * mask_stride, e, elements);
      y = fma(kept, wv_load_some(to, e, elements), (1.0f - kept) * y);
#endif
      wv_store_some(y, to, e, elements);
    }
  }
}
