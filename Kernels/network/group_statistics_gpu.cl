// The first of group normalisation's two kernels on a GPU: statistics of each chunk of an image (network/group_chunks.clh),
//
//   partials[b, chunk, g] = mean and sum of (x - mean)^2 over the chunk's pixels and the channels of group g
//
// A work-item takes them for each of its channels, pixel by pixel (Welford, 1962); those of a group's channels are then
// brought together as means of means and squares of their distances (Chan, Golub and LeVeque, 1979), in the order of
// rows and channels. No large sum of squares is ever subtracted from another.
// Budget: registers 128, stack 0, spills 0

#include "common/vectors.clh"
#include "network/rows.clh"
#include "network/pixels.clh"
#include "network/group_chunks.clh"

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void group_statistics(const __global float *restrict first, const int first_channels,
                      const __global float *restrict second, const int second_channels, const int pixels,
                      const int groups, const int groups_per_slice, const int chunk_pixels,
                      __global float *restrict partials)
{
  __local float4 means[NW_GROUP], squares[NW_GROUP];
  const nw_pixels x = {first, first_channels, second, second_channels};
  const gn_part part = gn_place(x, pixels, groups, groups_per_slice, chunk_pixels);
  const int id = get_local_id(0), group = part.first_group + id;

  // Of `group`, if the slice has so many. Only a group by itself is wider than what work-items take side by side.
  float count = 0.0f, mean = 0.0f, square = 0.0f;
  for (int c0 = part.start; c0 < part.end; c0 += 4 * part.across) {
    const int c = c0 + 4 * part.vector;
    float4 channel_mean = (float4)(0.0f), channel_square = (float4)(0.0f);
    if (part.row < part.down && c < part.end) {
      float taken = 0.0f;
      for (int p = part.row; p < part.pixels; p += GN_BATCH * part.down) {
        float4 batch[GN_BATCH];
        gn_load(x, part, p, c, batch);
        #pragma unroll
        for (int k = 0; k < GN_BATCH; ++k)
          if (p + k * part.down < part.pixels) {
            taken += 1.0f;
            const float4 distance = batch[k] - channel_mean;
            channel_mean = fma(distance, (float4)(1.0f / taken), channel_mean);
            channel_square = fma(distance, batch[k] - channel_mean, channel_square);
          }
      }
    }
    means[id] = channel_mean;
    squares[id] = channel_square;
    barrier(CLK_LOCAL_MEM_FENCE);

    if (group < part.end_group) {
      const int from = max(group * part.size, c0) - c0, to = min((group + 1) * part.size - c0, 4 * part.across);
      const int width = 4 * part.across, rows = min(part.down, part.pixels);
      const __local float *channel_means = (const __local float *)means;
      const __local float *channel_squares = (const __local float *)squares;
      const float origin = channel_means[from], part_count = (float)part.pixels * (to - from);
      float sum = 0.0f;
      for (int r = 0; r < rows; ++r) {
        float of_row = 0.0f;
        for (int k = from; k < to; ++k) of_row += channel_means[r * width + k] - origin;
        sum = fma(of_row, (float)((part.pixels - r + part.down - 1) / part.down), sum);
      }
      const float part_mean = origin + sum / part_count;
      float part_square = 0.0f;
      for (int r = 0; r < rows; ++r) {
        const float row_pixels = (part.pixels - r + part.down - 1) / part.down;
        for (int k = from; k < to; ++k) {
          const float distance = channel_means[r * width + k] - part_mean;
          part_square += fma(distance * distance, row_pixels, channel_squares[r * width + k]);
        }
      }
      const float both = count + part_count, distance = part_mean - mean;
      mean = fma(distance, part_count / both, mean);
      square += fma(distance * distance, count * (part_count / both), part_square);
      count = both;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }

  if (group < part.end_group) {
    const size_t at = ((size_t)part.image * part.chunks + part.chunk) * groups + group;
    *(__global float2 *)(partials + 2 * at) = (float2)(mean, square);
  }
}
