// Adds up what pairwise/epilogue_loss.clh left, one segment and type a group:
//
//   totals[s, a] = (L, N, P, 0)      ZLPR: N = ln(1 + sum (1 - t) exp(s)), P = ln(1 + sum t exp(-s)), L = N + P
//                                    binary: L alone
//
// Each work-item takes every NW_GROUP-th slot, and the group's parts are added in a tree that depends on nothing else.
// Grid: segment after segment, a group of NW_GROUP a type.
//
// Budget: registers 40, stack 0, spills 0

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

// ln(exp(0) + a sum that is relative to exp(maximum)).
static inline float lm_logarithm(const float maximum, const float sum)
{
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
    // A slot is a vector: the maximum and sum of the negatives, then those of the positives.
    float negative = 0.0f, positive = 0.0f;
    for (int k = get_local_id(0); k < count; k += NW_GROUP) {
      const float4 slot = *(const __global float4 *)(slots + lm_slot(k, types));
      negative = fmax(negative, slot.x);
      positive = fmax(positive, slot.z);
    }
    negative = nw_group_max(negative, part);
    positive = nw_group_max(positive, part);
    float negative_sum = 0.0f, positive_sum = 0.0f;
    for (int k = get_local_id(0); k < count; k += NW_GROUP) {
      const float4 slot = *(const __global float4 *)(slots + lm_slot(k, types));
      negative_sum = fma(slot.y, wm_exp((wv_float)(slot.x - negative)).x, negative_sum);
      positive_sum = fma(slot.w, wm_exp((wv_float)(slot.z - positive)).x, positive_sum);
    }
    total.y = lm_logarithm(negative, nw_group_sum(negative_sum, part));
    total.z = lm_logarithm(positive, nw_group_sum(positive_sum, part));
    total.x = total.y + total.z;
  } else {
    float sum = 0.0f;
    for (int k = get_local_id(0); k < count; k += NW_GROUP) sum += slots[lm_slot(k, types)];
    total.x = nw_group_sum(sum, part);
  }
  if (get_local_id(0) == 0) ((__global float4 *)totals)[s * types + a] = total;
}
