// Brings the chunks of pairwise/epilogue_top_k.clh together: each row's k best columns, best first.
//
//   values[i, r], columns[i, r] = the r-th of all entries of lists[i]
//
// The chunks' lists are in order, so the next best is the first of one of them; of equal ones the smallest column's.
// Places past the last entry hold -inf and column -1.
//
// Grid: (rows), a work-item a row. It keeps the first value of what is left of each list in local memory, a column of 4
// bytes a work-item, so that a place costs one entry from global memory and neighbours meet in no bank.
//
// Budget: registers 32, stack 0, spills 0, shared 24576

#include "common/vectors.clh"
#include "pairwise/top_k.clh"

#ifndef PK_GROUP
#define PK_GROUP (WEFT_VARIANT_GPU ? 64 : 1)
#endif
#ifndef PK_CHUNKS
#define PK_CHUNKS 64      // the most chunks there can be
#endif

__kernel __attribute__((reqd_work_group_size(PK_GROUP, 1, 1)))
void merge_top_k(const __global ulong *restrict lists, const int rows, const int chunks, const int best, const int room,
                 __global float *restrict values, __global int *restrict columns)
{
  __local float head[PK_CHUNKS][PK_GROUP];    // -inf: nothing is left
  __local ushort next[PK_CHUNKS][PK_GROUP];
  const int i = get_global_id(0);
  const int id = get_local_id(0);
  if (i >= rows) return;
  const __global ulong *list = lists + (size_t)i * chunks * room;
  if (chunks == 1) {
    for (int r = 0; r < best; ++r) {
      values[(size_t)i * best + r] = pk_value(list[r]);
      columns[(size_t)i * best + r] = pk_column(list[r]);
    }
    return;
  }
  for (int c = 0; c < chunks; ++c) {
    next[c][id] = 0;
    head[c][id] = pk_value(list[(size_t)c * room]);
  }

  for (int r = 0; r < best; ++r) {
    float value = -INFINITY;
    int from = -1;
    for (int c = 0; c < chunks; ++c) {
      const float other = head[c][id];
      // Lists are of any columns: of equal values the whole entries decide.
      if (other > value || (other == value && from >= 0 &&
                            list[(size_t)c * room + next[c][id]] > list[(size_t)from * room + next[from][id]])) {
        value = other;
        from = c;
      }
    }
    int column = -1;
    if (from >= 0) {
      const int at = next[from][id];
      column = pk_column(list[(size_t)from * room + at]);
      next[from][id] = at + 1;
      head[from][id] = at + 1 < best ? pk_value(list[(size_t)from * room + at + 1]) : -INFINITY;
    }
    values[(size_t)i * best + r] = value;
    columns[(size_t)i * best + r] = column;
  }
}
