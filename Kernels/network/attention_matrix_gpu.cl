// Attention (network/attention.clh) by matrix fragments (common/fragments.clh), GPU variant: a group of two warps takes
// AT_QUERIES queries of one head and walks the keys, AT_KEYS at a time. Scores and gathered values are fragments in
// registers, and a warp's weights go from one product to the next without leaving them.
//
//               keys ->                           channels ->
//   queries   +-----------+                    +---------------+    AT_QUERIES 64, 32: a warp has 16 WF_DOWN queries
//      |      |  scores   |  = Q K^T           |   gathered    |    AT_QUERIES 16: both have the same scores, and each
//      v      +-----------+                    +---------------+                   half of every AT_WIDTH channels
//                   | maximum, exp, sum               ^
//                   +------> weights ------ P V ------+
//
//   fragment f, column 2 t + e:   key, or channel, 16 (f / 2) + 4 t + 2 (f % 2) + e
//
// So a lane has 4 neighbours of each 16: of keys those that stand at its places of a step of P V, of channels a vector.
//
// Queries are read as fragments each time, 128 bits a lane. Keys and values go through local memory, at most 16 KiB, in
// turn: AT_KEYS keys and AT_WIDTH channels, as slabs of lines along the channels (K: a line a key) and along the keys
// (V: a line a channel). Banks: 16 work-items store the 8 pieces of lines l and l + 4; 8 lanes read all quads of lines l and
// l + 1, l even: no conflict. A quad of keys or values serves 2 WF_DOWN mma (WEFT_BFLOAT16X3: 3 WF_DOWN).
//
// Global memory is read and written four floats at once where strides and offsets are multiples of 4.
//
// The order of sums depends on the sequence's length alone.
// Grid: segment after segment, head after head, a group for each of `query_tiles` stretches of AT_QUERIES queries,
// those of the longest sequence.
// Budget: registers 255, stack 0, spills 0, products 1.1, shared 17408
// Budget (AT_CHANNELS=64): registers 232, products 4
// Budget (AT_CHANNELS=128): registers 232, products 2

#ifndef WEFT_PRECISION
#define WEFT_PRECISION WEFT_BFLOAT16   // or WEFT_BFLOAT16X3
#endif
#ifndef WEFT_UNITS
#define WEFT_UNITS WEFT_EMULATED       // or WEFT_NVIDIA
#endif

#include "common/vectors.clh"
#include "common/precision.clh"
#include "common/math.clh"
#include "common/segments.clh"
#include "network/attention.clh"

#define AT_GROUP 64       // work-items a group: two warps
#define AT_PANEL 64       // the width of a panel of keys
// Keys at a time: fewer where scores and gathered values fill the registers. Narrow heads of WEFT_BFLOAT16 have 64: with 32
// all loops of at_stage_values end after one turn, and PoCL 3.1 then takes work-items' conditions in them for false.
#define AT_KEYS \
  ((AT_CHANNELS > 32 && AT_CHANNELS <= 64) || (AT_CHANNELS > 384 && WEFT_PRECISION == WEFT_BFLOAT16) ? 32 : 64)
// Queries a group (the host has the same rule): wider heads, fewer queries.
#define AT_QUERIES (AT_CHANNELS <= 64 ? 64 : AT_CHANNELS <= 128 ? 32 : 16)
#define AT_ACROSS (AT_CHANNELS <= 128 ? 1 : 2)                     // warps along the channels

#define WF_GROUP AT_GROUP
#define WF_DOWN (AT_CHANNELS <= 64 ? 2 : 1)
#include "common/fragments.clh"

#define AT_PADDED ((AT_CHANNELS + 15) / 16 * 16)                   // channels as whole steps; the last one's rest is zero
#define AT_WIDTH (AT_PADDED < 64 ? AT_PADDED : 64)                 // channels staged at a time
#define AT_WIDTHS ((AT_PADDED + AT_WIDTH - 1) / AT_WIDTH)          // how many times
#define AT_CHANNEL_SLABS ((AT_WIDTH + WF_SLAB - 1) / WF_SLAB)
#define AT_KEY_SLABS (AT_KEYS / WF_SLAB)
#define AT_SCORES (AT_KEYS / 8)                                    // fragments of scores a warp has
#define AT_GATHERED (AT_WIDTH / 8 / AT_ACROSS)                     // of gathered values, for each AT_WIDTH channels

// Lines that a work-item's stores to a slab go to: 4 of each stretch of AT_VECTORS.
#define AT_VECTORS (AT_GROUP / WF_LINE_PIECES)
#define AT_OWN_PIECE ((int)get_local_id(0) % WF_LINE_PIECES)
#define AT_OWN_VECTOR ((int)get_local_id(0) / WF_LINE_PIECES)

// Lines of V, whole stretches: those past AT_WIDTH are of channels that are not read.
#define AT_VALUE_LINES ((AT_WIDTH + 4 * AT_VECTORS - 1) / (4 * AT_VECTORS) * (4 * AT_VECTORS))

#define AT_STAGE_SLABS(lines, slabs) ((lines) * (slabs) * WF_LINE_QUADS)
#define AT_STAGE \
  (AT_STAGE_SLABS(AT_KEYS, AT_CHANNEL_SLABS) > AT_STAGE_SLABS(AT_VALUE_LINES, AT_KEY_SLABS) ? \
   AT_STAGE_SLABS(AT_KEYS, AT_CHANNEL_SLABS) : AT_STAGE_SLABS(AT_VALUE_LINES, AT_KEY_SLABS))

// Stretches of lines whose loads are on the way together: 4 vectors, as registers are few.
#if WEFT_PRECISION == WEFT_BFLOAT16X3
#define AT_UNROLL 2
#else
#define AT_UNROLL 1
#endif

// Channels c .. c + 3 of a head's vector; those past the head's last are zero.
static inline float4 at_load(const __global float *line, const int c, const int aligned)
{
#if AT_CHANNELS % 4 == 0
  if (aligned) return c < AT_CHANNELS ? *(const __global float4 *)(line + c) : (float4)(0.0f);
#endif
  float4 value = (float4)(0.0f);
  if (c < AT_CHANNELS) value.x = line[c];
  if (c + 1 < AT_CHANNELS) value.y = line[c + 1];
  if (c + 2 < AT_CHANNELS) value.z = line[c + 2];
  if (c + 3 < AT_CHANNELS) value.w = line[c + 3];
  return value;
}

// AT_KEYS keys of a panel, AT_WIDTH channels from c0 on.
static inline void at_stage_keys(__local uint4 *to, const __global float *panel, const int c0)
{
  #pragma unroll 1
  for (int slab = 0; slab < AT_CHANNEL_SLABS; ++slab)
    #pragma unroll AT_UNROLL
    for (int v = 0; v < AT_KEYS / 4; v += AT_VECTORS) {
      float4 channels[WF_PIECE];
      #pragma unroll
      for (int k = 0; k < WF_PIECE; ++k) {
        const int c = c0 + slab * WF_SLAB + wf_piece_channel(AT_OWN_PIECE) + k;
        channels[k] = (float4)(0.0f);
        if (c < AT_CHANNELS) channels[k] = *(const __global float4 *)(panel + c * AT_PANEL + 4 * (v + AT_OWN_VECTOR));
      }
      wf_put_columns(to + slab * AT_KEYS * WF_LINE_QUADS, AT_OWN_PIECE, v + AT_OWN_VECTOR, channels);
    }
}

// The values of `count` keys, AT_WIDTH channels from c0 on; those of keys past the last are zero.
static inline void at_stage_values(__local uint4 *to, const __global float *values, const int stride, const int count,
                                   const int c0, const int aligned)
{
  #pragma unroll 1
  for (int slab = 0; slab < AT_KEY_SLABS; ++slab)
    #pragma unroll AT_UNROLL
    for (int v = 0; v < AT_VALUE_LINES / 4; v += AT_VECTORS) {
      float4 keys[WF_PIECE];
      #pragma unroll
      for (int k = 0; k < WF_PIECE; ++k) {
        const int j = slab * WF_SLAB + wf_piece_channel(AT_OWN_PIECE) + k;
        keys[k] = (float4)(0.0f);
        if (j < count) keys[k] = at_load(values + (size_t)j * stride, c0 + 4 * (v + AT_OWN_VECTOR), aligned);
      }
      wf_put_columns(to + slab * AT_VALUE_LINES * WF_LINE_QUADS, AT_OWN_PIECE, v + AT_OWN_VECTOR, keys);
    }
}

// Queries' channels from c on, as the quad of a line; the steps of a quad are 16 channels apart.
static inline uint4 at_query_quad(const __global float *query, const int c, const int aligned)
{
#if WEFT_PRECISION == WEFT_BFLOAT16X3
  return wf_quad(at_load(query, c, aligned));
#else
  return wf_join(wf_quad(at_load(query, c, aligned)), wf_quad(at_load(query, c + 16, aligned)));
#endif
}

// The line of a fragment's column g.
static inline int at_line(const int f) { return 16 * (f / 2) + 4 * (WF_LANE_ROW / 2) + 2 * (f % 2) + WF_LANE_ROW % 2; }

__kernel __attribute__((reqd_work_group_size(AT_GROUP, 1, 1)))
void attention(const __global float *restrict queries, const int query_stride, const int query_offset,
               const __global float *restrict keys, const __global float *restrict values, const int value_stride,
               const int value_offset, __global float *restrict out, const int heads, const float scale,
               const __global ws_segment *restrict segments, const int query_tiles)
{
  __local uint4 stage[AT_STAGE];
  __local float4 lanes[AT_GROUP / 32 * WF_DOWN * 16];   // what the four lanes of a row have
#if WEFT_UNITS == WEFT_EMULATED
  __local wf_scratch exchange;
  __local wf_scratch *scratch = &exchange;
#endif

  const int group = get_group_id(0), matrix = group / query_tiles;
  const ws_segment segment = segments[matrix / heads];
  const int head = matrix % heads;
  const int n = segment.count;
  const int i0 = group % query_tiles * AT_QUERIES;
  if (i0 >= n) return;

  const int across = WF_WARP % AT_ACROSS;
  const int own_row = WF_WARP / AT_ACROSS * (16 * WF_DOWN) + WF_LANE_ROW;   // row g of the warp's first fragment
  const int shared_row = WF_WARP * (16 * WF_DOWN) + WF_LANE_ROW;            // the same in `lanes`
  const __global float *query =
    queries + (size_t)(segment.first_row + i0) * query_stride + query_offset + head * AT_CHANNELS;
  const __global float *value =
    values + (size_t)segment.first_row * value_stride + value_offset + head * AT_CHANNELS;
  const int query_aligned = ((query_stride | query_offset) & 3) == 0;
  const int value_aligned = ((value_stride | value_offset) & 3) == 0;

  float gathered[AT_WIDTHS * AT_GATHERED][WF_DOWN][4];
  #pragma unroll
  for (int f = 0; f < AT_WIDTHS * AT_GATHERED; ++f)
    #pragma unroll
    for (int m = 0; m < WF_DOWN; ++m)
      #pragma unroll
      for (int k = 0; k < 4; ++k) gathered[f][m][k] = 0.0f;
  // Of rows g and g + 8 of each fragment; a total is of the lane's own keys.
  float maximum[WF_DOWN][2], total[WF_DOWN][2];
  #pragma unroll
  for (int m = 0; m < WF_DOWN; ++m)
    #pragma unroll
    for (int h = 0; h < 2; ++h) maximum[m][h] = -FLT_MAX, total[m][h] = 0.0f;

  #pragma unroll 1
  for (int j0 = 0; j0 < n; j0 += AT_KEYS) {
    const int count = min(AT_KEYS, n - j0);
    const __global float *panel =
      keys + ((size_t)(segment.first_panel + j0 / AT_PANEL) * heads + head) * AT_CHANNELS * AT_PANEL + j0 % AT_PANEL;

    float score[AT_SCORES][WF_DOWN][4];
    #pragma unroll
    for (int f = 0; f < AT_SCORES; ++f)
      #pragma unroll
      for (int m = 0; m < WF_DOWN; ++m)
        #pragma unroll
        for (int k = 0; k < 4; ++k) score[f][m][k] = 0.0f;
    #pragma unroll 1
    for (int c0 = 0; c0 < AT_PADDED; c0 += AT_WIDTH) {
      at_stage_keys(stage, panel, c0);
      barrier(CLK_LOCAL_MEM_FENCE);
      #pragma unroll 1
      for (int slab = 0; slab < AT_CHANNEL_SLABS; ++slab) {
        uint4 rows[WF_DOWN][2];
        #pragma unroll
        for (int m = 0; m < WF_DOWN; ++m)
          #pragma unroll
          for (int h = 0; h < 2; ++h)
            rows[m][h] = at_query_quad(query + (size_t)min(own_row + 16 * m + 8 * h, n - 1 - i0) * query_stride,
                                       c0 + slab * WF_SLAB + 4 * WF_LANE_QUAD, query_aligned);
        WF_UNROLL
        for (int f = 0; f < AT_SCORES; ++f)
          wf_multiply(score[f], rows, stage[(slab * AT_KEYS + wf_line(at_line(f))) * WF_LINE_QUADS + WF_LANE_QUAD],
                      AT_WIDTH < WF_SLAB ? 1 : WF_STEPS WF_SCRATCH(scratch));
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }

    #pragma unroll
    for (int m = 0; m < WF_DOWN; ++m)
      #pragma unroll
      for (int h = 0; h < 2; ++h) {
        float largest = -INFINITY;
        #pragma unroll
        for (int f = 0; f < AT_SCORES; ++f)
          #pragma unroll
          for (int e = 0; e < 2; ++e) {
            const int j = 16 * (f / 2) + 4 * WF_LANE_QUAD + 2 * (f % 2) + e;
            const float scaled = j < count ? score[f][m][2 * h + e] * scale : -INFINITY;
            score[f][m][2 * h + e] = scaled;
            largest = fmax(largest, scaled);
          }
        ((__local float *)&lanes[shared_row + 16 * m + 8 * h])[WF_LANE_QUAD] = largest;
      }
    barrier(CLK_LOCAL_MEM_FENCE);

    // The quads of a slab of keys, as rows of P.
    uint4 weights[AT_KEY_SLABS][WF_DOWN][2];
    #pragma unroll
    for (int m = 0; m < WF_DOWN; ++m)
      #pragma unroll
      for (int h = 0; h < 2; ++h) {
        const float new_maximum = fmax(maximum[m][h], wv_max4(lanes[shared_row + 16 * m + 8 * h]));
        const float fade = wm_exp((float4)(maximum[m][h] - new_maximum)).x;
        float4 sum = (float4)(0.0f);
        #pragma unroll
        for (int f = 0; f < AT_SCORES; f += 2) {
          const float4 weight = wm_exp((float4)(score[f][m][2 * h], score[f][m][2 * h + 1], score[f + 1][m][2 * h],
                                                score[f + 1][m][2 * h + 1]) - new_maximum);
#if WEFT_PRECISION == WEFT_BFLOAT16X3
          weights[f / 2][m][h] = wf_quad(weight);
          sum += weight;
#else
          const uint2 words = wf_quad(weight);
          if (f % 4 == 0) weights[f / 4][m][h].x = words.x, weights[f / 4][m][h].y = words.y;
          else weights[f / 4][m][h].z = words.x, weights[f / 4][m][h].w = words.y;
          sum += (float4)(wf_first(words.x), wf_second(words.x), wf_first(words.y), wf_second(words.y));
#endif
        }
        maximum[m][h] = new_maximum;
        total[m][h] = fma(total[m][h], fade, wv_sum4(sum));
        #pragma unroll
        for (int f = 0; f < AT_WIDTHS * AT_GATHERED; ++f)
          #pragma unroll
          for (int e = 0; e < 2; ++e) gathered[f][m][2 * h + e] *= fade;
      }

    WF_UNROLL
    for (int w = 0; w < AT_WIDTHS; ++w) {
      at_stage_values(stage, value + (size_t)j0 * value_stride, value_stride, count, w * AT_WIDTH, value_aligned);
      barrier(CLK_LOCAL_MEM_FENCE);
      WF_UNROLL
      for (int slab = 0; slab < AT_KEY_SLABS; ++slab)
        WF_UNROLL
        for (int f = 0; f < AT_GATHERED; ++f) {
          const int line = across * (AT_WIDTH / 2) + wf_line(at_line(f));
          wf_multiply(gathered[w * AT_GATHERED + f], weights[slab],
                      stage[(slab * AT_VALUE_LINES + line) * WF_LINE_QUADS + WF_LANE_QUAD], WF_STEPS WF_SCRATCH(scratch));
        }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }

  #pragma unroll
  for (int m = 0; m < WF_DOWN; ++m)
    #pragma unroll
    for (int h = 0; h < 2; ++h)
      ((__local float *)&lanes[shared_row + 16 * m + 8 * h])[WF_LANE_QUAD] = total[m][h];
  barrier(CLK_LOCAL_MEM_FENCE);
  // As in pairwise/tile_matrix_gpu.clh, PoCL needs a loop behind the barrier.
  WF_UNROLL
  for (int m = 0; m < WF_DOWN; ++m)
    #pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int row = own_row + 16 * m + 8 * h;
      const float factor = 1.0f / wv_sum4(lanes[shared_row + 16 * m + 8 * h]);
      const int kept = i0 + row < n ? AT_CHANNELS : 0;   // as in network/attention_gpu.cl
      __global float *to = out + ((size_t)(segment.first_row + i0 + row) * heads + head) * AT_CHANNELS;
      #pragma unroll
      for (int f = 0; f < AT_WIDTHS * AT_GATHERED; f += 2)
        at_store((float4)(gathered[f][m][2 * h], gathered[f][m][2 * h + 1], gathered[f + 1][m][2 * h],
                          gathered[f + 1][m][2 * h + 1]) * factor,
                 to, f / AT_GATHERED * AT_WIDTH + across * (AT_WIDTH / 2) + f % AT_GATHERED * 8 + 4 * WF_LANE_QUAD,
                 kept);
    }
}
