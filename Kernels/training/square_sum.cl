// Sums of squares, a slot for every TR_PART elements:
//
//   out[slot + group] = sum of source[e]^2 over the group's elements
//
// Each is added lane by lane, then over the group in a tree; training/adamw.cl adds the slots up in order.
// Grid: a group of NW_GROUP a slot.
//
// Budget: registers 32, stack 0, spills 0

#include "common/vectors.clh"
#include "network/rows.clh"

#ifndef TR_PART
#define TR_PART 16384     // elements of a slot
#endif

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void square_sum(const __global float *restrict source, const int count, __global float *restrict out, const int slot)
{
  __local float part[NW_GROUP];
  const int start = get_group_id(0) * TR_PART;
  const int end = start + min(count - start, TR_PART);
  wv_float sum = (wv_float)(0.0f);
  for (int at = start + get_local_id(0) * WV_LANES; at < end; at += NW_STEP) {
    const wv_float x = wv_load_some(source, at, end);
    sum = fma(x, x, sum);
  }
  const float total = nw_group_sum(wv_sum(sum), part);
  if (get_local_id(0) == 0) out[slot + get_group_id(0)] = total;
}
