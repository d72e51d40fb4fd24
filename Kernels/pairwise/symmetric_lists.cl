// The lists of pairwise/epilogue_symmetric_top_k.clh, before the first round and after the last.
//
//   clear_lists   no entries, and any value will do
//   sort_lists    each row's entries best first, empty places last: what pairwise/merge_top_k.cl takes
//
// lists   [rows, room]
// counts  [rows]: entries of each list
// worsts  [rows]: what a value must reach to be added
//
// Grid: (rows), a work-item a row.

#include "common/vectors.clh"
#include "pairwise/top_k.clh"
#include "pairwise/top_k_reservoir.clh"

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void clear_lists(__global int *restrict counts, __global float *restrict worsts)
{
  const int i = get_global_id(0);
  counts[i] = 0;
  worsts[i] = -INFINITY;
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void sort_lists(__global ulong *restrict lists, const __global int *restrict counts, const int best, const int room)
{
  const int i = get_global_id(0);
  pk_finish(lists + (size_t)i * room, counts[i], best, room);
}
