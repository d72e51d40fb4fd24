// Brings the chunks of pairwise/epilogue_average.clh together: the exact denoiser of a Gaussian mixture.
//
//   log_c = maximum_c - channels / 2 * ln v_c - |x|^2 / (2 v_c)       share_c = exp(log_c - max log) / total
//   out   = sum_c share_c * (sigma^2 / v_c * mean_c + alpha s_c^2 / v_c * sum_c * x)
//
// with total such that share_c * sum_c add up to 1. The second and third term of log_c are taken relative to the first
// chunk's, so that they vanish where all variances are one. Chunks are summed in order.
//
// Grid: a group of NW_GROUP a row.
//
// Budget: registers 56, stack 0, spills 0

#include "common/vectors.clh"
#include "common/math.clh"
#include "network/rows.clh"
#include "common/coefficients.clh"
#include "pairwise/averages.clh"

#ifndef PV_CHUNKS
#define PV_CHUNKS 1024    // the most chunks there can be
#endif

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void merge_averages(const __global float *restrict rows, const int row_stride, const int row_offset,
                    const __global float *restrict partials, const int chunks,
                    const __global float *restrict variances, const __global float *restrict levels,
                    const int level_row, const int level_stride, __global float *restrict out, const int width)
{
  __local float part[NW_GROUP];
  __local float share[PV_CHUNKS];   // a chunk's log_c, then what its mean is multiplied by
  const int i = get_group_id(0);
  const __global float *x = rows + (size_t)i * row_stride + row_offset;
  const __global float *level = cf_row(levels, level_row, level_stride, i);
  const __global float *partial = partials + (size_t)i * chunks * pv_stride(width);
  const float alpha = level[CF_ALPHA];
  const int id = get_local_id(0);

  wv_float squares = (wv_float)(0.0f);
  for (int c = id * WV_LANES; c < width; c += NW_STEP) {
    const wv_float value = wv_load_some(x, c, width);
    squares = fma(value, value, squares);
  }
  const float square = nw_group_sum(wv_sum(squares), part);

  const float first_variance = pv_variance(level, variances[0]);
  for (int c = id; c < chunks; c += NW_GROUP) {
    const float v = pv_variance(level, variances[c]);
    // 1 / v_0 - 1 / v_c, without the noise that both have in common
    const float difference = alpha * alpha * (variances[c] - variances[0]) / first_variance / v;
    share[c] =
      partial[(size_t)c * pv_stride(width)] - 0.5f * width * log(v / first_variance) + 0.5f * square * difference;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  float largest = share[0];
  for (int c = 1; c < chunks; ++c) largest = fmax(largest, share[c]);
  float total = 0.0f, own = 0.0f;
  for (int c = 0; c < chunks; ++c) {
    const float v = pv_variance(level, variances[c]);
    const float mass = wm_exp((wv_float)(share[c] - largest)).x * partial[(size_t)c * pv_stride(width) + 1];
    total += mass;
    own += mass * (alpha * variances[c] / v);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  // A sample that is not a number has no mean either.
  if (!(square <= FLT_MAX)) total = NAN;
  for (int c = id; c < chunks; c += NW_GROUP) {
    const float v = pv_variance(level, variances[c]);
    share[c] = wm_exp((wv_float)(share[c] - largest)).x * (pv_noise(level) / v) / total;
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  for (int c = id * WV_LANES; c < width; c += NW_STEP) {
    wv_float sum = own / total * wv_load_some(x, c, width);
    for (int k = 0; k < chunks; ++k)
      sum = fma((wv_float)(share[k]), pv_lanes(partial + (size_t)k * pv_stride(width) + PV_HEADER + c), sum);
    // The sign of a zero may come from columns that only other rows of the tile weigh.
    wv_store_some(sum + 0.0f, out + (size_t)i * width, c, width);
  }
}
