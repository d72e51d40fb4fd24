// Brings the chunks of pairwise/epilogue_top_k.clh together: each row's k best columns, best first.
//
//   values[i, r], columns[i, r] = the r-th of all entries of lists[i]
//
// The chunks' lists are in order, so the next best is the first of one of them; of equal ones the smallest column's.
// Places past the last entry hold -inf and column -1.
//
// Grid: (rows), a work-item a row.

#include "common/vectors.clh"
#include "pairwise/top_k.clh"

#ifndef PK_GROUP
#define PK_GROUP (WEFT_VARIANT_GPU ? 64 : 1)
#endif
#ifndef PK_CHUNKS
#define PK_CHUNKS 64      // the most chunks there can be
#endif

__kernel __attribute__((reqd_work_group_size(PK_GROUP, 1, 1)))
void merge_top_k(const __global pk_entry *restrict lists, const int rows, const int chunks, const int best,
                 __global float *restrict values, __global int *restrict columns)
{
  const int i = get_global_id(0);
  if (i >= rows) return;
  const __global pk_entry *list = lists + (size_t)i * chunks * best;
  int next[PK_CHUNKS];
  for (int c = 0; c < chunks; ++c) next[c] = 0;

  for (int r = 0; r < best; ++r) {
    pk_entry first = pk_none();
    int from = -1;
    for (int c = 0; c < chunks; ++c) {
      if (next[c] == best) continue;
      const pk_entry entry = list[(size_t)c * best + next[c]];
      if (entry.column >= 0 && (first.column < 0 || pk_after(first, entry))) {
        first = entry;
        from = c;
      }
    }
    if (from >= 0) ++next[from];
    values[(size_t)i * best + r] = first.value;
    columns[(size_t)i * best + r] = first.column;
  }
}
