// Lays the columns of a row-major matrix out as panels: the vectors of a product are its columns, their channels its
// rows (pairwise/pack.cl makes vectors of the rows).
//
//   panels[p, t, x] = source[t, offset + p * PW_PANEL + x]        zero past the last column
//
// A copy: each stretch of PW_PANEL elements of a row becomes a row of a panel. Grid: a group of NW_GROUP a row.
//
// Budget: registers 32, stack 0, spills 0

#include "common/vectors.clh"
#include "network/rows.clh"
#include "pairwise/shape.clh"

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void pack_transposed(const __global float *restrict source, const int stride, const int offset, const int columns,
                     __global float *restrict panels)
{
  const size_t row = get_group_id(0);
  const size_t rows = get_num_groups(0);
  const __global float *from = source + row * stride + offset;
  const int end = (columns + PW_PANEL - 1) / PW_PANEL * PW_PANEL;
  for (int j = get_local_id(0) * WV_LANES; j < end; j += NW_STEP)
    wv_store_some(wv_load_some(from, j, columns), panels + (j / PW_PANEL * rows + row) * PW_PANEL, j % PW_PANEL,
                  PW_PANEL);
}
