// Adds up what pairwise/epilogue_loss.clh left, one segment and type a group:
//
//   totals[s, a] = (L, N, P, 0)      ZLPR: N = ln(1 + sum (1 - t) exp(s)), P = ln(1 + sum t exp(-s)), L = N + P
//                                    binary: L alone
//
// Each work-item takes every NW_GROUP-th slot, and the group's parts are added in a tree that depends on nothing else.
// Grid: segment after segment, a group of NW_GROUP a type.

#include "common/vectors.clh"
#include "common/math.clh"
#include "common/segments.clh"
#include "network/rows.clh"
#include "pairwise/shape.clh"
#include "pairwise/labels.clh"
#include "pairwise/loss.clh"

// Where the k-th work-item of the segment keeps what it gathered.
static inline size_t lm_slot(const int k, const int types)
{
  return ls_slot(k / PW_GROUP_COLUMNS * PW_ROWS, k % PW_GROUP_COLUMNS, types);
}

// ln(exp(0) + the sum of all slots): `at` is 0 for one of a slot's sums, 2 for the other.
WEFT_INLINE float lm_logarithm(const __global float *slots, const int types, const int count, const int at,
                               __local float part[NW_GROUP])
{
  float maximum = 0.0f;
  for (int k = get_local_id(0); k < count; k += NW_GROUP) maximum = fmax(maximum, slots[lm_slot(k, types) + at]);
  maximum = nw_group_max(maximum, part);
  float sum = 0.0f;
  for (int k = get_local_id(0); k < count; k += NW_GROUP) {
    const __global float *slot = slots + lm_slot(k, types) + at;
    sum = fma(slot[1], wm_exp((wv_float)(slot[0] - maximum)).x, sum);
  }
  sum = nw_group_sum(sum, part);
  // ln(1 + x) where x is small: the sum alone would lose it
  return maximum > 0.0f ? maximum + log(wm_exp((wv_float)(-maximum)).x + sum) : log1p(sum);
}

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void merge_losses(const __global float *restrict partials, const __global ws_segment *restrict segments,
                  const int loss, const int types, __global float *restrict totals)
{
  __local float part[NW_GROUP];
  const int group = get_group_id(0), a = group % types;
  const size_t s = group / types;
  const ws_segment segment = segments[s];
  const __global float *slots = partials + ((size_t)segment.first_panel * PW_PANEL * types + a) * LS_PARTIAL;
  const int count = (segment.count + PW_ROWS - 1) / PW_ROWS * PW_GROUP_COLUMNS;
  float4 total = (float4)(0.0f);
  if (loss == LS_ZLPR) {
    total.y = lm_logarithm(slots, types, count, 0, part);
    total.z = lm_logarithm(slots, types, count, 2, part);
    total.x = total.y + total.z;
  } else {
    float sum = 0.0f;
    for (int k = get_local_id(0); k < count; k += NW_GROUP) sum += slots[lm_slot(k, types)];
    total.x = nw_group_sum(sum, part);
  }
  if (get_local_id(0) == 0) vstore4(total, s * types + a, totals);
}
