// Attention (network/attention.clh), GPU variant: a group of AT_GROUP work-items takes AT_QUERIES queries of one head
// and walks the keys, AT_KEYS at a time. Scores and gathered values are tiles in registers, so no private array is
// indexed at run time.
//
//               keys ->                          channels ->
//   queries   +-----------+                    +-------------+     a work-item holds AT_SCORE_ROWS x 4 scores, rows
//      |      |  scores   |  = Q K^T           |  gathered   |     AT_SCORE_DOWN apart, and AT_ROWS x AT_VECTORS x 4
//      v      +-----------+                    +-------------+     gathered channels, rows AT_DOWN apart and vectors
//                   | a work-item a row: maximum, exp, sum   ^     AT_ACROSS apart
//                   +------> weights ------ P V -------------+
//
// Local memory, at most 17,664 bytes, used in turn; a barrier stands between two uses:
//
//   row stage     Q [AT_QUERIES][AT_DEPTH_STRIDE], AT_DEPTH channels at a time;  then P [AT_QUERIES][AT_KEY_STRIDE]
//   column stage  K [AT_DEPTH][AT_KEYS] from the panel;  then V [AT_VALUE_KEYS][AT_WIDTH] from rows
//
// Both products read it four floats at once: 4 steps of depth take a vector a row and 4 a column vector, so 8 to 16 fma
// a load. Banks: rows of Q and P are 4 floats longer than a multiple of 32, so that those which a quarter-warp reads begin
// 4 banks apart; of K and V it reads neighbouring vectors. Global memory is read and written four floats at once where
// strides and offsets are multiples of 4.
//
// The order of sums depends on the sequence's length alone.
// Grid: segment after segment, head after head, a group for each of `query_tiles` stretches of AT_QUERIES queries,
// those of the longest sequence.
// Budget: registers 232, stack 0, spills 0, products 8
// Budget (AT_CHANNELS=32): registers 136
// Budget (AT_CHANNELS=64): registers 168
// Budget (AT_CHANNELS=128): registers 168

#include "common/vectors.clh"
#include "common/precision.clh"
#include "common/math.clh"
#include "common/segments.clh"
#include "network/attention.clh"

#define AT_GROUP 64       // work-items a group
#define AT_PANEL 64       // the width of a panel of keys
// Queries a group (the host has the same rule) and keys at a time: wider heads, fewer queries.
#ifndef AT_QUERIES
#define AT_QUERIES (AT_CHANNELS <= 64 ? 64 : AT_CHANNELS <= 128 ? 32 : 16)
#endif
#define AT_KEYS (AT_CHANNELS <= 64 ? 32 : 64)

#define AT_PADDED ((AT_CHANNELS + 3) / 4 * 4)            // channels as whole vectors; the last one's rest is zero
#define AT_DEPTH (AT_PADDED < 32 ? AT_PADDED : 32)       // channels of Q and K staged at a time
#define AT_DEPTH_STRIDE 36
#define AT_KEY_STRIDE (AT_KEYS + 4)

#define AT_SCORE_ROWS (AT_QUERIES * AT_KEYS / (4 * AT_GROUP))
#define AT_SCORE_ACROSS (AT_KEYS / 4)                    // work-items along the keys
#define AT_SCORE_DOWN (AT_GROUP / AT_SCORE_ACROSS)       // and down the queries

#define AT_ROWS (AT_CHANNELS <= 16 ? 4 : 8)
#define AT_DOWN (AT_QUERIES / AT_ROWS)
#define AT_ACROSS (AT_GROUP / AT_DOWN)
#define AT_VECTORS ((AT_PADDED / 4 + AT_ACROSS - 1) / AT_ACROSS)
#define AT_WIDTH (4 * AT_ACROSS * AT_VECTORS)            // channels of V staged, those past the last zero
// Keys of V staged at a time; a multiple of 4.
#define AT_VALUE_KEYS (AT_WIDTH <= 64 ? AT_KEYS : 2048 / AT_WIDTH / 4 * 4)

#define AT_ROW_STAGE \
  (AT_QUERIES * (AT_KEY_STRIDE > AT_DEPTH_STRIDE ? AT_KEY_STRIDE : AT_DEPTH_STRIDE) / 4)
#define AT_COLUMN_STAGE \
  ((AT_DEPTH * AT_KEYS > AT_VALUE_KEYS * AT_WIDTH ? AT_DEPTH * AT_KEYS : AT_VALUE_KEYS * AT_WIDTH) / 4)

#define AT_BATCH 4        // vectors a work-item loads before it stores them, so that they are on the way together

// Copies `width` vectors of each of `rows` rows to local memory, from channel c0 on; channels past the head's last are
// zero. Rows past the last repeat it, or are zero.
static inline void at_stage_rows(__local float4 *to, const int to_stride, const int rows, const int width,
                                 const __global float *from, const int stride, const int last, const int c0,
                                 const int zero, const int aligned)
{
  const int vectors = rows * width;
#if AT_CHANNELS % 4 == 0
  if (aligned) {
    for (int e0 = get_local_id(0); e0 < vectors; e0 += AT_BATCH * AT_GROUP) {
      float4 batch[AT_BATCH];
      #pragma unroll
      for (int k = 0; k < AT_BATCH; ++k) {
        const int e = e0 + k * AT_GROUP, row = e / width, c = c0 + 4 * (e % width);
        batch[k] = *(const __global float4 *)(from + (size_t)min(row, last) * stride + min(c, AT_CHANNELS - 4));
        if ((zero && row > last) || c >= AT_CHANNELS) batch[k] = (float4)(0.0f);
      }
      #pragma unroll
      for (int k = 0; k < AT_BATCH; ++k) {
        const int e = e0 + k * AT_GROUP;
        if (e < vectors) to[e / width * to_stride + e % width] = WB_OPERAND(batch[k]);
      }
    }
    return;
  }
#endif
  for (int e = get_local_id(0); e < vectors; e += AT_GROUP) {
    const int row = e / width, c = c0 + 4 * (e % width);
    const __global float *line = from + (size_t)min(row, last) * stride;
    const float4 loaded = (float4)(line[min(c, AT_CHANNELS - 1)], line[min(c + 1, AT_CHANNELS - 1)],
                                   line[min(c + 2, AT_CHANNELS - 1)], line[min(c + 3, AT_CHANNELS - 1)]);
    const int4 kept = (wv_iota + c) < ((zero && row > last) ? 0 : AT_CHANNELS);
    to[row * to_stride + e % width] = WB_OPERAND(select((float4)(0.0f), loaded, kept));
  }
}

// AT_DEPTH channels of AT_KEYS keys, from channel c0 on; channels past the head's last are zero.
static inline void at_stage_panel(__local float4 *to, const __global float *panel, const int c0)
{
  const int vectors = AT_DEPTH * AT_KEYS / 4;
  for (int e0 = get_local_id(0); e0 < vectors; e0 += AT_BATCH * AT_GROUP) {
    float4 batch[AT_BATCH];
    #pragma unroll
    for (int k = 0; k < AT_BATCH; ++k) {
      const int e = e0 + k * AT_GROUP, c = c0 + e / (AT_KEYS / 4);
      batch[k] = *(const __global float4 *)(panel + min(c, AT_CHANNELS - 1) * AT_PANEL + e % (AT_KEYS / 4) * 4);
      if (c >= AT_CHANNELS) batch[k] = (float4)(0.0f);
    }
    #pragma unroll
    for (int k = 0; k < AT_BATCH; ++k)
      if (e0 + k * AT_GROUP < vectors) to[e0 + k * AT_GROUP] = WB_OPERAND(batch[k]);
  }
}

// sum + the product of a row of four with four columns, in that order.
static inline float4 at_product(const float4 row, const float4 columns[4], const float4 sum)
{
  return fma((float4)(row.w), columns[3],
             fma((float4)(row.z), columns[2], fma((float4)(row.y), columns[1], fma((float4)(row.x), columns[0], sum))));
}

__kernel __attribute__((reqd_work_group_size(AT_GROUP, 1, 1)))
void attention(const __global float *restrict queries, const int query_stride, const int query_offset,
               const __global float *restrict keys, const __global float *restrict values, const int value_stride,
               const int value_offset, __global float *restrict out, const int heads, const float scale,
               const __global ws_segment *restrict segments, const int query_tiles)
{
  __local float4 row_stage[AT_ROW_STAGE], column_stage[AT_COLUMN_STAGE];
  __local float row_factor[AT_QUERIES];

  const int id = get_local_id(0);
  const int group = get_group_id(0), matrix = group / query_tiles;
  const ws_segment segment = segments[matrix / heads];
  const int head = matrix % heads;
  const int n = segment.count;
  const int i0 = group % query_tiles * AT_QUERIES;
  if (i0 >= n) return;

  const __global float *query =
    queries + (size_t)(segment.first_row + i0) * query_stride + query_offset + head * AT_CHANNELS;
  const __global float *value =
    values + (size_t)segment.first_row * value_stride + value_offset + head * AT_CHANNELS;
  const int query_aligned = ((query_stride | query_offset) & 3) == 0;
  const int value_aligned = ((value_stride | value_offset) & 3) == 0;
  const int score_across = id % AT_SCORE_ACROSS, score_down = id / AT_SCORE_ACROSS;
  const int across = id % AT_ACROSS, down = id / AT_ACROSS;

  float4 gathered[AT_ROWS][AT_VECTORS];
  #pragma unroll
  for (int r = 0; r < AT_ROWS; ++r)
    #pragma unroll
    for (int v = 0; v < AT_VECTORS; ++v) gathered[r][v] = (float4)(0.0f);
  float maximum = -FLT_MAX, total = 0.0f;   // of query i0 + id, if there is one

  #pragma unroll 1
  for (int j0 = 0; j0 < n; j0 += AT_KEYS) {
    const int count = min(AT_KEYS, n - j0);
    const __global float *panel =
      keys + ((size_t)(segment.first_panel + j0 / AT_PANEL) * heads + head) * AT_CHANNELS * AT_PANEL + j0 % AT_PANEL;

    float4 score[AT_SCORE_ROWS];
    #pragma unroll
    for (int r = 0; r < AT_SCORE_ROWS; ++r) score[r] = (float4)(0.0f);
    #pragma unroll 1
    for (int c0 = 0; c0 < AT_PADDED; c0 += AT_DEPTH) {
      at_stage_rows(row_stage, AT_DEPTH_STRIDE / 4, AT_QUERIES, AT_DEPTH / 4, query, query_stride, n - 1 - i0, c0, 0,
                    query_aligned);
      at_stage_panel(column_stage, panel, c0);
      barrier(CLK_LOCAL_MEM_FENCE);

      const int depth = min(AT_DEPTH, AT_PADDED - c0) / 4;
      const __local float4 *row = row_stage + score_down * (AT_DEPTH_STRIDE / 4);
      const __local float4 *column = column_stage + score_across;
      #pragma unroll 1
      for (int x = 0; x < depth; ++x, ++row, column += 4 * AT_SCORE_ACROSS) {
        float4 key[4];
        #pragma unroll
        for (int k = 0; k < 4; ++k) key[k] = column[k * AT_SCORE_ACROSS];
        #pragma unroll
        for (int r = 0; r < AT_SCORE_ROWS; ++r)
          score[r] = at_product(row[r * AT_SCORE_DOWN * (AT_DEPTH_STRIDE / 4)], key, score[r]);
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }

    __local float4 *cell = row_stage + score_down * (AT_KEY_STRIDE / 4) + score_across;
    #pragma unroll
    for (int r = 0; r < AT_SCORE_ROWS; ++r)
      cell[r * AT_SCORE_DOWN * (AT_KEY_STRIDE / 4)] =
        select((float4)(-INFINITY), score[r] * scale, (wv_iota + 4 * score_across) < count);
    barrier(CLK_LOCAL_MEM_FENCE);

    if (id < AT_QUERIES) {
      __local float4 *weights = row_stage + id * (AT_KEY_STRIDE / 4);
      float4 largest = (float4)(maximum), sum = (float4)(0.0f);
      #pragma unroll
      for (int x = 0; x < AT_KEYS / 4; ++x) largest = fmax(largest, weights[x]);
      const float new_maximum = wv_max(largest);
      const float fade = wm_exp((wv_float)(maximum - new_maximum)).x;
      #pragma unroll 2
      for (int x = 0; x < AT_KEYS / 4; ++x) {
        const float4 weight = WB_OPERAND(wm_exp(weights[x] - new_maximum));
        weights[x] = weight;
        sum += weight;
      }
      maximum = new_maximum;
      total = fma(total, fade, wv_sum(sum));
      row_factor[id] = fade;
    }

    #pragma unroll 1
    for (int k0 = 0; k0 < count; k0 += AT_VALUE_KEYS) {
      at_stage_rows(column_stage, AT_WIDTH / 4, AT_VALUE_KEYS, AT_WIDTH / 4, value + (size_t)(j0 + k0) * value_stride,
                    value_stride, count - 1 - k0, 0, 1, value_aligned);
      barrier(CLK_LOCAL_MEM_FENCE);

      if (k0 == 0) {
        #pragma unroll
        for (int r = 0; r < AT_ROWS; ++r) {
          const float fade = row_factor[down + r * AT_DOWN];
          #pragma unroll
          for (int v = 0; v < AT_VECTORS; ++v) gathered[r][v] *= fade;
        }
      }
      const int steps = (min(AT_VALUE_KEYS, count - k0) + 3) / 4;
      const __local float4 *row = row_stage + down * (AT_KEY_STRIDE / 4) + k0 / 4;
      const __local float4 *column = column_stage + across;
      #pragma unroll 1
      for (int x = 0; x < steps; ++x, ++row, column += AT_WIDTH) {
        #pragma unroll
        for (int v = 0; v < AT_VECTORS; ++v) {
          float4 four[4];
          #pragma unroll
          for (int k = 0; k < 4; ++k) four[k] = column[k * (AT_WIDTH / 4) + v * AT_ACROSS];
          #pragma unroll
          for (int r = 0; r < AT_ROWS; ++r)
            gathered[r][v] = at_product(row[r * AT_DOWN * (AT_KEY_STRIDE / 4)], four, gathered[r][v]);
        }
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }

  if (id < AT_QUERIES) row_factor[id] = 1.0f / total;
  barrier(CLK_LOCAL_MEM_FENCE);
  #pragma unroll
  for (int r = 0; r < AT_ROWS; ++r) {
    const int row = r * AT_DOWN + down;
    // A row past the end has no channels. PoCL 3.1 with LLVM 15 drops a condition around the last row's loop.
    const int kept = i0 + row < n ? AT_CHANNELS : 0;
    __global float *to = out + ((size_t)(segment.first_row + i0 + row) * heads + head) * AT_CHANNELS;
    #pragma unroll
    for (int v = 0; v < AT_VECTORS; ++v)
      at_store(gathered[r][v] * row_factor[row], to, 4 * (v * AT_ACROSS + across), kept);
  }
}
