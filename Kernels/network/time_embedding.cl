// Sines and cosines of a sample's time:
//
//   out[b] = [ sin(2 pi t_b turns_0) .. sin(2 pi t_b turns_(half-1)),  cos(..) ..,  0 if channels is odd ]
//
// t_b is the TIME of sample b's row of coefficients, or its logarithm; with `cosine_first` cosines stand before sines.
// Turns come as floats and what the floats left of them, so that whole turns are taken off exactly.
// Grid: a group of NW_GROUP a sample.
// Budget: registers 32, stack 0, spills 0

#include "common/vectors.clh"
#include "common/philox.clh"
#include "common/coefficients.clh"
#include "network/rows.clh"

#if WEFT_VARIANT_GPU
#define TE_LANES 1
#define te_load(line, at, end) ((line)[at])
#define te_store(value, line, at, end) ((line)[at] = (value))
#else
#define TE_LANES WV_LANES
#define te_load wv_load_some
#define te_store wv_store_some
#endif

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void time_embedding(const __global float *restrict table, const int first_row, const int row_stride,
                    const __global float *restrict turns, const int channels, const int cosine_first,
                    const int of_logarithm, __global float *restrict out)
{
  const int sample = get_group_id(0);
  const int half_channels = channels / 2;
  __global float *line = out + (size_t)sample * channels;
  __global float *sines = line + (cosine_first ? half_channels : 0);
  __global float *cosines = line + (cosine_first ? 0 : half_channels);
  ph_float t = (ph_float)(cf_row(table, first_row, row_stride, sample)[CF_TIME]);
  if (of_logarithm) t = ph_log(t);

  for (int i = get_local_id(0) * TE_LANES; i < half_channels; i += NW_GROUP * TE_LANES) {
    const ph_float high = te_load(turns, i, half_channels);
    const ph_float low = te_load(turns + half_channels, i, half_channels);
    const ph_float angle = t * high;
    const ph_float rest = fma(t, high, -angle) + t * low;
    ph_float cosine, sine;
    ph_cos_sin((angle - rint(angle)) + rest, &cosine, &sine);
    te_store(sine, sines, i, half_channels);
    te_store(cosine, cosines, i, half_channels);
  }
  if (channels > 2 * half_channels && get_local_id(0) == 0) line[channels - 1] = 0.0f;
}
