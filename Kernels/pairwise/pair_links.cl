// Which of the listed pairs of spans are linked, and by what:
//
//   hits = { (x, p, head, tail) : head > threshold and tail > threshold }
//   head = score_head[p, a_x, b_x],   tail = score_tail[p, c_x, d_x],   (a, b, c, d)_x = pairs[x]
//
//   PL_TYPED = 0   score[p, i, j] = scale * <q[i, p], k[j, p]>
//   PL_TYPED = 1   score[p, i, j] = scale * <q[i], k[j]> + bias_scale * S[i, p] + bias_scale * E[j, p]
//
// There is no tile: pairs are few and lie anywhere. A work-item takes one, and for all predicates reads
//
//   q_head[a] . k_head[b]     S_head[a, 0 ..< predicates]   E_head[b, ...]
//   q_tail[c] . k_tail[d]     S_tail[c, ...]                E_tail[d, ...]
//
// so nothing of the size rows * columns is computed or stored. Rows are counted over the whole tensor. Hits come in any
// order; `found` counts all of them, also when the list was too short. biases [rows][2 * predicates]: S, then E.
// Grid: pairs, in groups of PL_GROUP.
//
// Budget: registers 48, stack 0, spills 0

#include "common/vectors.clh"

#ifndef PL_TYPED
#define PL_TYPED 1        // 1: one product for all predicates, told apart by biases
#endif
#ifndef PL_GROUP
#define PL_GROUP (WEFT_VARIANT_GPU ? 64 : 1)   // work-items a group
#endif

typedef struct {
  int pair, predicate;
  float head, tail;
} __attribute__((aligned(16))) pl_hit;   // stored as one

// Where one side's vectors lie: row i of predicate p starts at vectors + i * stride + offset + p * predicate_stride.
#define PL_SIDE_PARAMETERS(side) \
  const __global float *side##_rows, const int side##_row_stride, const int side##_row_offset, \
    const int side##_row_head_stride, const __global float *side##_columns, const int side##_column_stride, \
    const int side##_column_offset, const int side##_column_head_stride, const __global float *side##_biases

static inline float pl_product(const __global float *q, const __global float *k, const int channels)
{
  wv_float sum = (wv_float)(0.0f);
  for (int c = 0; c < channels; c += WV_LANES)
    sum = fma(wv_load_some(q, c, channels), wv_load_some(k, c, channels), sum);
  return wv_sum(sum);
}

static inline void pl_keep(const int pair, const int predicate, const float head, const float tail, const uint capacity,
                           __global pl_hit *hits, volatile __global uint *found)
{
  const uint slot = atomic_inc(found);
  if (slot >= capacity) return;
  const pl_hit hit = {pair, predicate, head, tail};
  hits[slot] = hit;
}

__kernel __attribute__((reqd_work_group_size(PL_GROUP, 1, 1)))
void pair_links(PL_SIDE_PARAMETERS(head), PL_SIDE_PARAMETERS(tail), const __global int *restrict pairs, const int count,
               const int predicates, const int channels, const float scale, const float bias_scale,
               const float threshold, const uint capacity, __global pl_hit *restrict hits,
               volatile __global uint *found)
{
  const int pair = get_global_id(0);
  if (pair >= count) return;
  const int4 cell = ((const __global int4 *)pairs)[pair];
  const __global float *head_q = head_rows + (size_t)cell.x * head_row_stride + head_row_offset;
  const __global float *head_k = head_columns + (size_t)cell.y * head_column_stride + head_column_offset;
  const __global float *tail_q = tail_rows + (size_t)cell.z * tail_row_stride + tail_row_offset;
  const __global float *tail_k = tail_columns + (size_t)cell.w * tail_column_stride + tail_column_offset;

#if PL_TYPED
  const float head_product = scale * pl_product(head_q, head_k, channels);
  const float tail_product = scale * pl_product(tail_q, tail_k, channels);
  const size_t width = 2 * predicates;
  const __global float *head_start = head_biases + cell.x * width, *head_end = head_biases + cell.y * width + predicates;
  const __global float *tail_start = tail_biases + cell.z * width, *tail_end = tail_biases + cell.w * width + predicates;
  for (int p = 0; p < predicates; p += WV_LANES) {
    const wv_float head = head_product + bias_scale * wv_load_some(head_start, p, predicates)
                          + bias_scale * wv_load_some(head_end, p, predicates);
    const wv_float tail = tail_product + bias_scale * wv_load_some(tail_start, p, predicates)
                          + bias_scale * wv_load_some(tail_end, p, predicates);
    if (!wv_any((head > threshold) & (tail > threshold))) continue;
    float head_lane[WV_LANES], tail_lane[WV_LANES];
    wv_store(head, 0, head_lane);
    wv_store(tail, 0, tail_lane);
    for (int x = 0; x < WV_LANES && p + x < predicates; ++x)
      if (head_lane[x] > threshold && tail_lane[x] > threshold)
        pl_keep(pair, p + x, head_lane[x], tail_lane[x], capacity, hits, found);
  }
#else
  for (int p = 0; p < predicates; ++p) {
    const float head = scale * pl_product(head_q + p * head_row_head_stride, head_k + p * head_column_head_stride, channels);
    if (!(head > threshold)) continue;
    const float tail = scale * pl_product(tail_q + p * tail_row_head_stride, tail_k + p * tail_column_head_stride, channels);
    if (tail > threshold) pl_keep(pair, p, head, tail, capacity, hits, found);
  }
#endif
}
