// The lists of pairwise/epilogue_symmetric_top_k.clh, before the first round and after the last.
//
//   clear_lists   every place empty
//   sort_lists    each row's entries best first, empty places last: what pairwise/merge_top_k.cl takes
//
// lists  [rows, best]
//
// Grid: (rows), a work-item a row.

#include "common/vectors.clh"
#include "pairwise/top_k.clh"

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void clear_lists(__global pk_entry *restrict lists, const int best)
{
  __global pk_entry *list = lists + (size_t)get_global_id(0) * best;
  for (int at = 0; at < best; ++at) list[at] = pk_none();
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void sort_lists(__global pk_entry *restrict lists, const int best)
{
  pk_sort(lists + (size_t)get_global_id(0) * best, best, best);
}
