// A convolution with windows of 3 x 3 at stride 1 by Winograd's minimal filtering F(2 x 2, 3 x 3), for CPU devices:
//
//   out[b, 2 y + p, 2 x + q, o] = END((A' [sum_c (B' d[c] B) * (G g[o, c] G')] A)[p, q])
//
//        1  0 -1  0          1    0    0         1  1  1  0
//   B' = 0  1  1  0     G = 1/2  1/2  1/2    A' = 0  1 -1 -1
//        0 -1  1  0         1/2 -1/2  1/2
//        0  1  0 -1          0    0    1
//
//   +---+---+---+---+
//   |   |   |   |   |      d: 4 x 4 pixels from (2 y - 1, 2 x - 1)
//   +---+---+---+---+
//   |   | O | O |   |      O: 2 x 2 pixels of the result, a tile. Tiles are counted over all images.
//   +---+---+---+---+
//   |   | O | O |   |      16 products for each pair of channels, where four windows take 36
//   +---+---+---+---+
//   |   |   |   |   |
//   +---+---+---+---+
//
// (A. Lavin, S. Gray, Fast Algorithms for Convolutional Neural Networks, 2016, section 4.1.)
//
// A product for each of the 16 positions: rows are tiles, columns the result's channels. One work-item takes PW_ROWS
// tiles to `panels_per_item` panels, WG_DEPTH channels at a time: it transforms the pixels into rows of its own,
// [position, tile, channel], which stay in the second cache, and adds each position's product to its sums,
// [panel, position, tile, column].
//
// images          as in pairwise/window.clh, of even height and width; channels in two tensors. Pixels beyond the edge
//                 are 0: `margin`.
// panels          of 16 heads, one for each position: G g G', transformed once.
// panels_per_item at most WG_PANELS
// row_groups      groups of PW_ROWS tiles; they run fastest, so that work-items side by side read the same panels.
// The end is the epilogue's, which takes the four places of a tile for the phases of an image that is made larger.
//
// The sum over channels is one chain of fma in order, and the transforms add in a fixed order: a pixel does not depend
// on its batch. The sums are not those of the windows themselves: they differ in the last places, and what is not finite
// reaches all pixels of its tile.

#include "common/vectors.clh"
#include "common/precision.clh"
#include "common/math.clh"
#include "common/segments.clh"
#include "pairwise/shape.clh"

#define PW_IMAGE 1
#define PW_PRIVATE_ROWS 1
#include "pairwise/window.clh"
#include "pairwise/epilogue_dense.clh"
#include "pairwise/tile_cpu.clh"

#ifndef WG_DEPTH
#define WG_DEPTH 128      // channels that are transformed at a time, a multiple of WV_LANES
#endif
#ifndef WG_PANELS
#define WG_PANELS 3       // panels that a work-item has sums of, at most
#endif
// A position's rows, and one vector more: else the 16 stores of a tile would meet in one set of the first cache.
#define WG_STAGE (PW_ROWS * WG_DEPTH + WV_LANES)

typedef struct {
  const __global float *pixels;   // one of the image's tensors
  int channels;
} wg_tensor;

// B' d B of one tile's channels c0 to c0 + WG_DEPTH, to stage[position][tile].
static inline void wg_transform_tile(const wg_tensor tensor, const __global float *margin, const int pixel[16],
                                const int c0, float stage[16][WG_STAGE], const int tile)
{
  const int end = min(tensor.channels, c0 + WG_DEPTH);
  const __global float *from[16];
  #pragma unroll
  for (int k = 0; k < 16; ++k)
    from[k] = pixel[k] < 0 ? margin : tensor.pixels + (size_t)pixel[k] * tensor.channels;
  for (int c = c0; c < end; c += WV_LANES) {
    wv_float d[16];
    #pragma unroll
    for (int k = 0; k < 16; ++k) d[k] = wv_load_some(from[k], c, end);
    #pragma unroll
    for (int j = 0; j < 4; ++j) {
      const wv_float d0 = d[j], d1 = d[4 + j], d2 = d[8 + j], d3 = d[12 + j];
      d[j] = d0 - d2;
      d[4 + j] = d1 + d2;
      d[8 + j] = d2 - d1;
      d[12 + j] = d1 - d3;
    }
    const int at = tile * WG_DEPTH + c - c0;
    #pragma unroll
    for (int i = 0; i < 16; i += 4) {
      wv_store(d[i] - d[i + 2], 0, stage[i] + at);
      wv_store(d[i + 1] + d[i + 2], 0, stage[i + 1] + at);
      wv_store(d[i + 2] - d[i + 1], 0, stage[i + 2] + at);
      wv_store(d[i + 1] - d[i + 3], 0, stage[i + 3] + at);
    }
  }
}

// A' m A of all tiles: the sums of positions 0 to 3 become those of a tile's places (0, 0), (0, 1), (1, 0) and (1, 1).
static inline void wg_transform_sums(wv_float sums[16][PW_ROWS][PW_VECTORS], const int tiles)
{
  for (int r = 0; r < tiles; ++r)
    for (int v = 0; v < PW_VECTORS; ++v) {
      wv_float t[8];
      #pragma unroll
      for (int j = 0; j < 4; ++j) {
        const wv_float m0 = sums[j][r][v], m1 = sums[4 + j][r][v], m2 = sums[8 + j][r][v], m3 = sums[12 + j][r][v];
        t[j] = m0 + m1 + m2;
        t[4 + j] = m1 - m2 - m3;
      }
      #pragma unroll
      for (int p = 0; p < 2; ++p) {
        sums[2 * p][r][v] = t[4 * p] + t[4 * p + 1] + t[4 * p + 2];
        sums[2 * p + 1][r][v] = t[4 * p + 1] - t[4 * p + 2] - t[4 * p + 3];
      }
    }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void winograd(const __global float *restrict rows, const int row_stride, const __global float *restrict panels,
              const int channels, const int panels_per_item, const int row_groups, const int tile_count,
              const int column_count, const __global float *restrict second, const int second_channels,
              const __global float *restrict margin, const int height, const int width, const int out_height,
              const int out_width
              PW_EPILOGUE_PARAMETERS)
{
  const int first_panel = get_group_id(0) / row_groups * panels_per_item;
  const int end_panel = min(first_panel + panels_per_item, (column_count + PW_PANEL - 1) / PW_PANEL);
  pw_place place;
  place.i0 = get_group_id(0) % row_groups * PW_ROWS;
  place.n = tile_count;
  place.m = column_count;
  const int tiles = min(tile_count - place.i0, PW_ROWS);

  // Rows past the end repeat the last tile; their sums are not kept.
  int pixel[PW_ROWS][16];
  for (int r = 0; r < PW_ROWS; ++r) {
    const int i = min(place.i0 + r, tile_count - 1), line = i / out_width;
    const int y = line % out_height * 2 - 1, x = i % out_width * 2 - 1, image = line / out_height * height * width;
    for (int k = 0; k < 16; ++k) {
      const int at_y = y + k / 4, at_x = x + k % 4;
      pixel[r][k] = (uint)at_y < (uint)height && (uint)at_x < (uint)width ? image + at_y * width + at_x : -1;
    }
  }

  float stage[16][WG_STAGE];
  wv_float sums[WG_PANELS][16][PW_ROWS][PW_VECTORS];
  for (int p = first_panel; p < end_panel; ++p)
    for (int k = 0; k < 16; ++k) pw_clear(sums[p - first_panel][k]);
  const wg_tensor tensors[2] = {{rows, row_stride}, {second, second_channels}};
  for (int t = 0; t < 2; ++t)
    for (int c0 = 0; c0 < tensors[t].channels; c0 += WG_DEPTH) {
      const int depth = min(WG_DEPTH, tensors[t].channels - c0), channel = t * row_stride + c0;
      for (int r = 0; r < PW_ROWS; ++r) wg_transform_tile(tensors[t], margin, pixel[r], c0, stage, r);
      for (int p = first_panel; p < end_panel; ++p)
        for (int k = 0; k < 16; ++k) {
          const float *row[PW_ROWS];
          #pragma unroll
          for (int r = 0; r < PW_ROWS; ++r) row[r] = stage[k] + r * WG_DEPTH;
          pw_add_product(row, tiles, panels + (((size_t)p * 16 + k) * channels + channel) * PW_PANEL, depth,
                         column_count - p * PW_PANEL, sums[p - first_panel][k]);
        }
    }

  const int spread = 2;
  for (int p = first_panel; p < end_panel; ++p) {
    place.j0 = p * PW_PANEL;
    wg_transform_sums(sums[p - first_panel], tiles);
    for (int k = 0; k < 4; ++k) {
      place.head = k;
      pw_consume(place, sums[p - first_panel][k] PW_EPILOGUE_ARGUMENTS);
    }
  }
}
