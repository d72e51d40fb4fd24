// Lays row-major vectors out as the panels that a tile reads, channel by channel:
//
//   panels[first_panel + p, h, c, x] = ROTATE( source[first_row + p * PW_PANEL + x, offset + h * head_stride + c] )
//
//        source                          one panel of one head
//   row  +--------------+                 channel +---------+
//        | c0 c1 c2 ..  |   transpose        c0   | r0 r1 ..|  PW_PANEL wide,
//        | c0 c1 c2 ..  |   --------->       c1   | r0 r1 ..|  zero past the segment's end
//        +--------------+                         +---------+
//
// If `ragged`, rows and panels of each matrix are those of its segment. If `rotates`, each channel pair is turned by its
// row's position (common/rotary.clh).
//
// If `finds_peaks`, the greatest of each run of PW_RUN neighbours is kept as well, for bounds:
//
//   peaks[panel, h, run, c] = max over k < PW_RUN of panels[panel, h, c, run * PW_RUN + k]     run < PW_PANEL / PW_RUN
//
// On a GPU a group turns PW_PACK_DEPTH channels of the panel at a time in local memory. Two neighbours read 8 channels of
// a row, a vector each, and put them down one by one: with a pitch of 4 (mod 8) channels 4 apart lie 16 banks apart, so
// that 16 rows and both fill the 32 banks. Read back and written are whole vectors of neighbouring rows.
// Budget: registers 48, stack 0, spills 0
// Grid: segment after segment, head after head, a group of PW_PACK_GROUP work-items for each of `panel_count` panels,
// those of the longest segment.

#include "common/vectors.clh"
#include "common/segments.clh"
#include "common/rotary.clh"
#include "pairwise/shape.clh"

#ifndef PW_ROTATE
#define PW_ROTATE rotates   // the argument: one program for both. A GPU's launches give the number, which saves registers
#endif
#ifndef PW_PACK_GROUP
#define PW_PACK_GROUP (WEFT_VARIANT_GPU ? 64 : 1)   // even, divides 2 * PW_PANEL
#endif
#ifndef PW_PACK_DEPTH
#define PW_PACK_DEPTH 16  // GPU: channels turned at a time, a multiple of 8
#endif
#define PW_PACK_PITCH (PW_PANEL + 4)

#if !WEFT_VARIANT_GPU
// Sixteen rows of sixteen channels, turned in registers: four perfect shuffles are a transpose.
static inline void pw_transpose(float16 x[16])
{
  for (int round = 0; round < 4; ++round) {
    float16 y[16];
    #pragma unroll
    for (int k = 0; k < 8; ++k) {
      const float16 a = x[k], b = x[k + 8];
      y[2 * k] = (float16)(a.s0, b.s0, a.s1, b.s1, a.s2, b.s2, a.s3, b.s3, a.s4, b.s4, a.s5, b.s5, a.s6, b.s6, a.s7, b.s7);
      y[2 * k + 1] = (float16)(a.s8, b.s8, a.s9, b.s9, a.sa, b.sa, a.sb, b.sb, a.sc, b.sc, a.sd, b.sd, a.se, b.se, a.sf, b.sf);
    }
    #pragma unroll
    for (int k = 0; k < 16; ++k) x[k] = y[k];
  }
}
#endif

__kernel __attribute__((reqd_work_group_size(PW_PACK_GROUP, 1, 1)))
void pack(const __global float *restrict source, const int stride, const int offset, const int head_stride,
          const int heads, const int channels, __global float *restrict panels, const int panel_count,
          const int ragged, const __global ws_segment *restrict segments, const int row_count, const int rotates,
          const __global float *restrict rotary, const int finds_peaks, __global float *restrict peaks)
{
  const int group = get_group_id(0), p = group % panel_count, matrix = group / panel_count;
  const int head = matrix % heads;
  ws_segment segment = {0, row_count, 0, 0};
  if (ragged) segment = segments[matrix / heads];
  const int j0 = p * PW_PANEL;
  if (j0 >= segment.count) return;

  const __global float *from = source + (size_t)segment.first_row * stride + offset + head * head_stride;
  __global float *panel = panels + ((size_t)(segment.first_panel + p) * heads + head) * channels * PW_PANEL;

#if WEFT_VARIANT_GPU
  __local float stage[PW_PACK_DEPTH * PW_PACK_PITCH] __attribute__((aligned(16)));
  const int id = get_local_id(0);
  for (int c0 = 0; c0 < channels; c0 += PW_PACK_DEPTH) {
    for (int x = id / 2; x < PW_PANEL; x += PW_PACK_GROUP / 2) {
      const int j = j0 + x;
      for (int d = id % 2 * WV_LANES; d < PW_PACK_DEPTH; d += 2 * WV_LANES) {
        wv_float value = (wv_float)(0.0f);
        if (j < segment.count && c0 + d < channels) {
          const __global float *row = from + (size_t)j * stride;
          value = PW_ROTATE ? wr_rotate(row, rotary + (size_t)j * 2 * channels, c0 + d, channels)
                            : wv_load_some(row, c0 + d, channels);
        }
        __local float *to = stage + d * PW_PACK_PITCH + x;
        to[0] = value.x;
        to[PW_PACK_PITCH] = value.y;
        to[2 * PW_PACK_PITCH] = value.z;
        to[3 * PW_PACK_PITCH] = value.w;
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const int vectors = min(PW_PACK_DEPTH, channels - c0) * (PW_PANEL / WV_LANES);
    for (int e = id; e < vectors; e += PW_PACK_GROUP)
      ((__global wv_float *)(panel + (size_t)c0 * PW_PANEL))[e] =
        *(const __local wv_float *)&stage[e / (PW_PANEL / WV_LANES) * PW_PACK_PITCH + e % (PW_PANEL / WV_LANES) * WV_LANES];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
#else
  for (int x0 = 0; x0 < PW_PANEL; x0 += 16) {
    for (int c0 = 0; c0 < channels; c0 += 16) {
      float16 block[16];
      for (int x = 0; x < 16; ++x) {
        const int j = j0 + x0 + x;
        block[x] = (float16)(0.0f);
        if (j < segment.count) {
          const __global float *row = from + (size_t)j * stride;
          block[x] = PW_ROTATE ? wr_rotate(row, rotary + (size_t)j * 2 * channels, c0, channels)
                               : wv_load_some(row, c0, channels);
        }
      }
      pw_transpose(block);
      const int rows = min(16, channels - c0);
      for (int c = 0; c < rows; ++c) vstore16(block[c], 0, panel + (size_t)(c0 + c) * PW_PANEL + x0);
    }
  }
#endif

  if (!finds_peaks) return;
  barrier(CLK_GLOBAL_MEM_FENCE);
  __global float *peak = peaks + ((size_t)(segment.first_panel + p) * heads + head) * (PW_PANEL / PW_RUN) * channels;
  for (int e = get_local_id(0); e < PW_PANEL / PW_RUN * channels; e += PW_PACK_GROUP) {
    const __global float *run = panel + (size_t)(e % channels) * PW_PANEL + e / channels * PW_RUN;
    float largest = run[0];
    for (int k = 1; k < PW_RUN; ++k) largest = fmax(largest, run[k]);
    peak[e] = largest;
  }
}
