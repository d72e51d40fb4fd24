// Group normalisation (network/group_norm.clh), GPU variant, the second of two kernels; the first is
// group_statistics_gpu.cl. Each work-group brings the statistics of the image's chunks (network/group_chunks.clh) together
// by itself, always in their order (Chan, Golub and LeVeque, 1979), then normalises one chunk.
// Budget: registers 144, stack 0, spills 0

#include "common/vectors.clh"
#include "common/math.clh"
#include "network/rows.clh"
#include "network/pixels.clh"
#include "network/group_norm.clh"
#include "network/group_chunks.clh"

#ifndef GN_ACTIVATION
#define GN_ACTIVATION WM_NONE   // one of common/math.clh
#endif
#ifndef GN_MODULATED
#define GN_MODULATED 0    // 1: factor and shift are there
#endif

// Channels c ... c + 3; those from `end` on are the last again.
static inline float4 gn_channels(const __global float *line, const int c, const int end, const int aligned)
{
  if (aligned) return *(const __global float4 *)(line + c);
  return (float4)(line[c], line[min(c + 1, end - 1)], line[min(c + 2, end - 1)], line[min(c + 3, end - 1)]);
}

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void group_norm(const __global float *restrict first, const int first_channels, const __global float *restrict second,
                const int second_channels, const int pixels, const int groups, const int groups_per_slice,
                const int chunk_pixels, const __global float *restrict partials, const __global float *restrict gain,
                const __global float *restrict bias, const float epsilon, const __global float *restrict factors,
                const int factor_stride, const int factor_offset, const __global float *restrict shifts,
                const int shift_stride, const int shift_offset, __global float *restrict out)
{
  __local float means[NW_GROUP], scales[NW_GROUP];   // by group of the slice
  const nw_pixels x = {first, first_channels, second, second_channels};
  const gn_part part = gn_place(x, pixels, groups, groups_per_slice, chunk_pixels);
  const int channels = first_channels + second_channels;
  const int id = get_local_id(0);

  if (part.first_group + id < part.end_group) {
    const __global float *line =
      partials + 2 * ((size_t)part.image * part.chunks * groups + part.first_group + id);
    const float origin = line[0], count = (float)pixels * part.size;
    float sum = 0.0f;
    for (int k = 0; k < part.chunks; ++k) {
      const float chunk_count = (float)min(chunk_pixels, pixels - k * chunk_pixels) * part.size;
      sum = fma(line[2 * (size_t)k * groups] - origin, chunk_count, sum);
    }
    const float mean = origin + sum / count;
    float squares = 0.0f;
    for (int k = 0; k < part.chunks; ++k) {
      const float chunk_count = (float)min(chunk_pixels, pixels - k * chunk_pixels) * part.size;
      const float2 chunk = *(const __global float2 *)(line + 2 * (size_t)k * groups);
      const float distance = chunk.x - mean;
      squares += fma(distance * distance, chunk_count, chunk.y);
    }
    means[id] = mean;
    scales[id] = 1.0f / sqrt(squares / count + epsilon);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (part.row >= part.down) return;

  for (int c = part.start + 4 * part.vector; c < part.end; c += 4 * part.across) {
    const int a = (c - part.start) / part.size, b = (min(c + 1, part.end - 1) - part.start) / part.size;
    const int d = (min(c + 2, part.end - 1) - part.start) / part.size;
    const int e = (min(c + 3, part.end - 1) - part.start) / part.size;
    const float4 mean = (float4)(means[a], means[b], means[d], means[e]);
    const float4 scale = (float4)(scales[a], scales[b], scales[d], scales[e]);
    const float4 gains = gn_channels(gain, c, part.end, part.aligned);
    const float4 biases = gn_channels(bias, c, part.end, part.aligned);
#if GN_MODULATED
    const float4 factor =
      1.0f + gn_channels(factors + (size_t)part.image * factor_stride + factor_offset, c, part.end,
                         part.aligned && ((factor_stride | factor_offset) & 3) == 0);
    const float4 shift = gn_channels(shifts + (size_t)part.image * shift_stride + shift_offset, c, part.end,
                                     part.aligned && ((shift_stride | shift_offset) & 3) == 0);
#endif
    for (int p = part.row; p < part.pixels; p += GN_BATCH * part.down) {
      float4 batch[GN_BATCH];
      gn_load(x, part, p, c, batch);
      #pragma unroll
      for (int k = 0; k < GN_BATCH; ++k) {
        if (p + k * part.down >= part.pixels) continue;
        float4 value = fma((batch[k] - mean) * scale, gains, biases);
#if GN_MODULATED
        value = fma(value, factor, shift);
#endif
        value = wm_activate(value, GN_ACTIVATION);
        __global float *to = out + (part.first_pixel + p + k * part.down) * channels + c;
        if (part.aligned) {
          *(__global float4 *)to = value;
        } else {
          to[0] = value.x;
          if (c + 1 < part.end) to[1] = value.y;
          if (c + 2 < part.end) to[2] = value.z;
          if (c + 3 < part.end) to[3] = value.w;
        }
      }
    }
  }
}
