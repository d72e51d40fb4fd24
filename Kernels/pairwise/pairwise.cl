// Pairwise products: tiles of inner products between two sets of vectors, consumed where they stand.
//
//   score[s, h, i, j] = EPILOGUE( scale * sum_c rows[s, i, h, c] * columns[s, j, h, c] )
//
// rows     [*, row_stride] row major; head h starts at channel row_offset + h * row_head_stride. With
//          PW_TRANSPOSED_ROWS = 1 channel c of row i is rows[c, row_offset + i]; one head, one segment. With
//          PW_IMAGE = 1 row i is what a window sees of an image, see pairwise/window.clh. With PW_ROTATE_ROWS = 1, on a
//          CPU device, rows are turned by their places in their segment first (common/rotary.clh), in a work-item's own
//          memory: turned rows in global memory would be written and read once more.
// panels   [panel][head][channel][PW_PANEL], from pairwise/pack.cl
// Grid: matrix after matrix (segment by segment, head by head), chunk after chunk of panels_per_item panels, a group
// for PW_TILES row tiles. All of it lies in the first dimension, since devices take 65,535 groups in the others:
// row_groups groups are a chunk, `chunks` chunks a matrix. With PW_RAGGED = 0 there is one segment, given by row_count and
// column_count; a dense layer is that, with weights for columns. With PW_CHUNKED = 1 the chunks are the segments of a
// table, and all rows meet each of them. With PW_ROUNDS = 1 rows and columns are one set, whose blocks of PW_TILES row
// tiles meet two by two: the matrices are the pairs of one round.
//
// The epilogue consumes the tile: a header that the launch names, put in where "epilogue" is included. It defines
//
//   PW_EPILOGUE_PARAMETERS    what the kernel gets for it: `, type name, ...`, in the order of the launch's arguments
//   PW_EPILOGUE_ARGUMENTS     their names: `, name, ...`
//   PW_FIRST_PANEL(i0)        the first panel it wants for rows from i0 on; 0 for all
//   PW_END_PANEL(end_i)       if it wants none from there on for rows before end_i
//   PW_FIRST_COLUMN(i0)       if it leaves out the columns before it for rows from i0 on; their products may be 0
//
// and knows nothing else of the tile. It is one of the two:
//
//   stateless   pw_consume(place, tile, ...)         called by the work-items whose first cell exists
//   stateful    (PW_STATEFUL = 1)
//               pw_state    a work-item's own memory, one for each row tile; lasts from pw_begin to pw_end
//               pw_shared   the group's local memory, the epilogue's own from pw_begin to pw_end; its row tiles share it
//               pw_begin(state, shared, place, ...)           once a row tile, before its first panel
//               pw_consume(state, shared, place, tile, ...)   once a panel, in order
//               pw_end(state, shared, place, ...)             once a row tile, after its last panel
//
// All work-items of a group call the hooks of a stateful epilogue together, so they may hold barriers. It masks what
// lies past the edges itself: rows past the last repeat it, columns past the last have product 0. What it keeps may
// depend on its chunk, never on how many rows there are.
//
//              panel  panel  panel      one chunk
//   tile 0     | 1      3      5        the order in which a group takes its tiles, PW_TILES = 2:
//   tile 1     | 2      4      6        a panel serves all of them while it is in cache
//
// Includes are flattened once each, in order. What every epilogue may use stands here.
//
// Budget: registers 168, stack 0, spills 0, products 16, shared 16384

#include "common/vectors.clh"
#include "common/precision.clh"
#include "common/math.clh"
#include "common/segments.clh"
#include "pairwise/shape.clh"

#ifndef PW_RAGGED
#define PW_RAGGED 0       // 1: segments come from two tables
#endif

#ifndef PW_CHUNKED
#define PW_CHUNKED 0      // 1: chunks of columns come from a table; rows are one segment
#endif

#ifndef PW_ROUNDS
#define PW_ROUNDS 0       // 1: rows are the columns, and this is one of the rounds in which their blocks meet
#endif
#if PW_ROUNDS
#include "pairwise/rounds.clh"
#endif

#ifndef PW_TRANSPOSED_ROWS
#define PW_TRANSPOSED_ROWS 0   // 1: rows are columns of their tensor
#endif

#ifndef PW_ROTATE_ROWS
#define PW_ROTATE_ROWS 0  // 1: rows are turned; CPU devices, one row tile a group
#endif
#ifndef PW_ROTATED_CHANNELS
#define PW_ROTATED_CHANNELS 256   // the most channels of a row that is turned, a multiple of WV_LANES
#endif
#if PW_ROTATE_ROWS
#include "common/rotary.clh"
#endif

#ifndef PW_IMAGE
#define PW_IMAGE 0        // 1: rows are the windows of an image's pixels
#endif
#if PW_IMAGE
#include "pairwise/window.clh"
#endif

#ifndef PW_STATEFUL
#define PW_STATEFUL 0     // 1: the epilogue keeps something from panel to panel
#endif

#include "epilogue"

#ifndef PW_END_PANEL
#define PW_END_PANEL(end_i) INT_MAX   // the epilogue's own
#endif
#ifndef PW_FIRST_COLUMN
#define PW_FIRST_COLUMN(i0) 0         // the epilogue's own
#endif

#if WEFT_VARIANT_GPU && WEFT_FRAGMENTS
#include "pairwise/tile_matrix_gpu.clh"
#elif WEFT_VARIANT_GPU
#include "pairwise/tile_gpu.clh"
#elif PW_TRANSPOSED_ROWS
#include "pairwise/tile_transposed_cpu.clh"
#else
#include "pairwise/tile_cpu.clh"
#endif

__kernel __attribute__((reqd_work_group_size(PW_GROUP_ROWS * PW_GROUP_COLUMNS, 1, 1)))
void pairwise(const __global float *restrict rows, const int row_stride, const int row_offset,
              const int row_head_stride, const __global float *restrict panels, const int heads, const int channels,
              const float scale, const int panels_per_item, const int row_groups, const int chunks,
#if PW_RAGGED
              const __global ws_segment *restrict row_segments, const __global ws_segment *restrict column_segments
#elif PW_CHUNKED
              const int row_count, const __global ws_segment *restrict column_segments
#elif PW_ROUNDS
              const int row_count, const int round_index
#else
              const int row_count, const int column_count
#endif
#if PW_ROTATE_ROWS
              , const __global float *restrict rotary
#endif
#if PW_IMAGE
              PW_WINDOW_PARAMETERS
#endif
              PW_EPILOGUE_PARAMETERS)
{
  const int group = get_group_id(0), chunk_number = group / row_groups;
  const int first_i0 = group % row_groups * PW_TILES * PW_TILE_ROWS;
  const int matrix = chunk_number / chunks;
#if PW_RAGGED
  const ws_segment row_segment = row_segments[matrix / heads];
  const ws_segment column_segment = column_segments[matrix / heads];
#elif PW_CHUNKED
  const ws_segment row_segment = {0, row_count, 0, 0};
  const ws_segment column_segment = column_segments[chunk_number % chunks];
#elif PW_ROUNDS
  const int block_rows = PW_TILES * PW_TILE_ROWS;
  const pr_pair pair = pr_meeting(matrix, round_index, (row_count + block_rows - 1) / block_rows);
  const ws_segment row_segment = pr_block(pair.first, block_rows, row_count);
  const ws_segment column_segment = pr_block(pair.second, block_rows, row_count);
#else
  const ws_segment row_segment = {0, row_count, 0, 0};
  const ws_segment column_segment = {0, column_count, 0, 0};
#endif
  if (first_i0 >= row_segment.count) return;

  pw_place place;
  place.matrix = matrix;
  place.segment = matrix / heads;
  place.head = matrix % heads;
  place.n = row_segment.count;
  place.m = column_segment.count;
  place.first_row = row_segment.first_row;
  place.first_column = column_segment.first_row;
  place.row_panel = row_segment.first_panel;
  place.column_panel = column_segment.first_panel;
  place.chunk = chunk_number % chunks;
  place.chunks = chunks;

  const __global float *head_rows =
    rows + (size_t)row_segment.first_row * row_stride + row_offset + place.head * row_head_stride;
  const int panel_count = (column_segment.count + PW_PANEL - 1) / PW_PANEL;
  const int chunk = PW_CHUNKED ? 0 : place.chunk * panels_per_item;
  const int first_panel = max(chunk, PW_FIRST_PANEL(first_i0));
  const int chunk_end = PW_CHUNKED ? panel_count : min(chunk + panels_per_item, panel_count);
  const int end_panel = min(chunk_end, PW_END_PANEL(first_i0 + PW_TILES * PW_TILE_ROWS));
  const int tiles = min(PW_TILES, (place.n - first_i0 + PW_TILE_ROWS - 1) / PW_TILE_ROWS);
  const int item_row = get_local_id(0) / PW_GROUP_COLUMNS * PW_ROWS;
  const int item_column = get_local_id(0) % PW_GROUP_COLUMNS * PW_COLUMNS;

#if WEFT_VARIANT_GPU
  __local pw_stage stage;
#endif
#if PW_STATEFUL
  __local pw_shared shared;
  pw_state state[PW_TILES];
  for (int t = 0; t < tiles; ++t) {
    place.i0 = first_i0 + t * PW_TILE_ROWS + item_row;
    pw_begin(&state[t], &shared, place PW_EPILOGUE_ARGUMENTS);
  }
#endif

#if PW_ROTATE_ROWS
  float turned[PW_ROWS][PW_ROTATED_CHANNELS];
  if (first_panel < end_panel) pw_turn_rows(head_rows, row_stride, first_i0, place.n, rotary, channels, turned);
#endif

#if WEFT_VARIANT_GPU && !PW_STATEFUL
  // A group has one panel: more groups, and what a cell needs is not kept in registers from panel to panel.
  const int p = first_panel;
  if (p < end_panel) {
#else
  for (int p = first_panel; p < end_panel; ++p) {
#endif
    const __global float *panel =
      panels + ((size_t)(column_segment.first_panel + p) * heads + place.head) * channels * PW_PANEL;
    place.j0 = p * PW_PANEL + item_column;
    for (int t = 0; t < tiles; ++t) {
      const int tile_i0 = first_i0 + t * PW_TILE_ROWS;
      place.i0 = tile_i0 + item_row;
      wv_float tile[PW_ROWS][PW_VECTORS];
#if WEFT_VARIANT_GPU
#if PW_IMAGE
      pw_window_product(PW_WINDOW_ARGUMENTS, tile_i0, place.n, panel, &stage, tile);
#else
      pw_product(head_rows, row_stride, tile_i0, place.n, panel, channels, &stage, tile);
#endif
#elif PW_IMAGE
      pw_window_product(PW_WINDOW_ARGUMENTS, place.i0, place.n, panel, place.m - place.j0, tile);
#elif PW_TRANSPOSED_ROWS
      pw_product(head_rows, row_stride, place.i0, place.n, panel, channels, tile);
#else
      PW_ROW row[PW_ROWS];
#if PW_ROTATE_ROWS
      #pragma unroll
      for (int r = 0; r < PW_ROWS; ++r) row[r] = turned[r];
#else
      pw_row_pointers(head_rows, row_stride, place.i0, place.n, row);
#endif
      pw_product(row, panel, channels, PW_FIRST_COLUMN(place.i0) - place.j0, place.m - place.j0, tile);
#endif
      #pragma unroll
      for (int r = 0; r < PW_ROWS; ++r)
        #pragma unroll
        for (int v = 0; v < PW_VECTORS; ++v) tile[r][v] *= scale;
#if PW_STATEFUL
      pw_consume(&state[t], &shared, place, tile PW_EPILOGUE_ARGUMENTS);
#else
      if (place.i0 < place.n && place.j0 < place.m) pw_consume(place, tile PW_EPILOGUE_ARGUMENTS);
#endif
    }
  }

#if PW_STATEFUL
  for (int t = 0; t < tiles; ++t) {
    place.i0 = first_i0 + t * PW_TILE_ROWS + item_row;
    pw_end(&state[t], &shared, place PW_EPILOGUE_ARGUMENTS);
  }
#endif
}
