// Group normalisation (network/group_norm.clh), CPU-device variant: statistics in two passes, then one that writes.
//
//           channels ->
//   pixels  | slice 0     | slice 1     |      a work-item takes a slice of one image: some whole groups
//     |     | g0 g1 g2 g3 | g4 g5 g6 g7 |      of channels, few enough that an image's slice stays in the second cache
//     v     |             |             |
//
// The activation and whether factor and shift are there are arguments, so that a network's layers are one program.
// Grid: image after image, a work-item a slice.

#include "common/vectors.clh"
#include "common/math.clh"
#include "network/rows.clh"
#include "network/pixels.clh"
#include "network/group_norm.clh"

#ifndef GN_SLICE
#define GN_SLICE 64       // channels summed at a time, a multiple of WV_LANES; at most so many groups a slice
#endif
#ifndef GN_RUN
#define GN_RUN 64         // pixels summed at a time, so that long sums are sums of short ones
#endif

#define GN_VECTORS (GN_SLICE / WV_LANES)

// Adds up x - center, or its square, over all pixels for the GN_SLICE channels from c0 on.
static inline void gn_sum(const nw_pixels x, const size_t first_pixel, const int pixels, const int c0, const int end,
                          const float *center, const int squares, float *sums)
{
  for (int v = 0; v < GN_VECTORS; ++v) {
    const int c = c0 + v * WV_LANES;
    if (c >= end) break;
    const wv_float middle = wv_load(v, center);
    wv_float total = (wv_float)(0.0f);
    for (int p0 = 0; p0 < pixels; p0 += GN_RUN) {
      wv_float sum = (wv_float)(0.0f);
      for (int p = p0; p < min(p0 + GN_RUN, pixels); ++p) {
        const wv_float distance = nw_load_pixel(x, first_pixel + p, c) - middle;
        sum = squares ? fma(distance, distance, sum) : sum + distance;
      }
      total += sum;
    }
    wv_store(total, v, sums);
  }
}

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void group_norm(const __global float *restrict first, const int first_channels, const __global float *restrict second,
                const int second_channels, const int pixels, const int groups, const int groups_per_slice,
                const __global float *restrict gain, const __global float *restrict bias, const float epsilon,
                const int activation, const int modulated,
                const __global float *restrict factors, const int factor_stride, const int factor_offset,
                const __global float *restrict shifts, const int shift_stride, const int shift_offset,
                __global float *restrict out)
{
  const nw_pixels x = {first, first_channels, second, second_channels};
  const int channels = first_channels + second_channels;
  const int size = channels / groups;
  const int slices = (groups + groups_per_slice - 1) / groups_per_slice;
  const int id = get_group_id(0), image = id / slices;
  const size_t first_pixel = (size_t)image * pixels;
  const __global float *factor = factors + (size_t)image * factor_stride + factor_offset;
  const __global float *shift = shifts + (size_t)image * shift_stride + shift_offset;
  const int first_group = id % slices * groups_per_slice;

  const int start = first_group * size;
  const int end = min(start + groups_per_slice * size, channels);
  // By group of the slice, then by channel.
  float group_mean[GN_SLICE], group_scale[GN_SLICE], center[GN_SLICE], sums[GN_SLICE];
  const float count = (float)pixels * size;

  for (int g = 0; g < groups_per_slice; ++g) group_mean[g] = group_scale[g] = 0.0f;
  for (int c = 0; c < GN_SLICE; ++c) center[c] = 0.0f;
  for (int c0 = start; c0 < end; c0 += GN_SLICE) {
    gn_sum(x, first_pixel, pixels, c0, end, center, 0, sums);
    for (int c = c0; c < min(c0 + GN_SLICE, end); ++c) group_mean[(c - start) / size] += sums[c - c0];
  }
  for (int g = 0; g < groups_per_slice; ++g) group_mean[g] /= count;

  for (int c0 = start; c0 < end; c0 += GN_SLICE) {
    for (int c = c0; c < min(c0 + GN_SLICE, end); ++c) center[c - c0] = group_mean[(c - start) / size];
    gn_sum(x, first_pixel, pixels, c0, end, center, 1, sums);
    for (int c = c0; c < min(c0 + GN_SLICE, end); ++c) group_scale[(c - start) / size] += sums[c - c0];
  }
  for (int g = 0; g < groups_per_slice; ++g) group_scale[g] = 1.0f / sqrt(group_scale[g] / count + epsilon);

  for (int c0 = start; c0 < end; c0 += GN_SLICE) {
    for (int c = c0; c < min(c0 + GN_SLICE, end); ++c) {
      center[c - c0] = group_mean[(c - start) / size];
      sums[c - c0] = group_scale[(c - start) / size];
    }
    for (int p = 0; p < pixels; ++p)
      for (int v = 0; v < GN_VECTORS; ++v) {
        const int c = c0 + v * WV_LANES;
        if (c >= end) break;
        const wv_float distance = nw_load_pixel(x, first_pixel + p, c) - wv_load(v, center);
        wv_float value = fma(distance * wv_load(v, sums), wv_load_some(gain, c, end), wv_load_some(bias, c, end));
        if (modulated) value = fma(value, 1.0f + wv_load_some(factor, c, end), wv_load_some(shift, c, end));
        wv_store_some(wm_activate(value, activation), out + (first_pixel + p) * channels, c, end);
      }
  }
}
