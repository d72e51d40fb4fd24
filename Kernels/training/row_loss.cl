// ZLPR (Su, 2022) of each row of logits s with labels t, and its derivatives:
//
//   N = ln(1 + sum (1 - t) exp(s))     P = ln(1 + sum t exp(-s))     losses[r] = N + P
//   gradient[r, c] = (1 - t) exp(s - N) - t exp(-s - P)
//
// A label below 0 says that the cell does not count: its derivative is 0. For each of N and P one pass over the row finds
// the largest exponent and one sums; a last one takes the derivatives.
// Grid: a group of NW_GROUP a row.
//
// Budget: registers 40, stack 0, spills 0

#include "common/vectors.clh"
#include "common/math.clh"
#include "network/rows.clh"

// One of the two exponents, -INFINITY where the term has no weight.
static inline wv_float rl_exponent(const wv_float s, const wv_float t, const int c, const int classes, const float sign)
{
  const wv_int counts = (wv_iota + c < classes) & (t >= 0.0f) & (sign > 0.0f ? t < 1.0f : t > 0.0f);
  return select((wv_float)(-INFINITY), sign * s, counts);
}

// ln(1 + sum of weights times exponentials) over a row.
WEFT_INLINE float rl_logarithm(const __global float *s, const __global float *t, const int classes, const float sign,
                               __local float part[NW_GROUP])
{
  const int first = get_local_id(0) * WV_LANES;
  wv_float largest = (wv_float)(0.0f);
  wv_int broken = (wv_int)(0);
  for (int c = first; c < classes; c += NW_STEP) {
    const wv_float x = rl_exponent(wv_load_some(s, c, classes), wv_load_some(t, c, classes), c, classes, sign);
    broken |= x != x;
    largest = fmax(largest, x);
  }
  const float maximum = nw_group_max(wv_max(largest), part);
  // A logit that is not a number makes a loss that is none; maxima would hide it.
  wv_float sum = wv_any(broken) ? (wv_float)(NAN) : (wv_float)(0.0f);
  for (int c = first; c < classes; c += NW_STEP) {
    const wv_float label = wv_load_some(t, c, classes);
    const wv_float x = rl_exponent(wv_load_some(s, c, classes), label, c, classes, sign);
    sum = fma(sign > 0.0f ? 1.0f - label : label, wm_exp(x - maximum), sum);
  }
  const float total = nw_group_sum(wv_sum(sum), part);
  // ln(1 + x) where x is small: 1 would hide it
  return maximum > 0.0f ? maximum + log(wm_exp((wv_float)(-maximum)).x + total) : log1p(total);
}

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void row_loss(const __global float *restrict logits, const __global float *restrict labels, const int classes,
              __global float *restrict losses, __global float *restrict gradient)
{
  __local float part[NW_GROUP];
  const size_t row = get_group_id(0);
  const __global float *s = logits + row * classes, *t = labels + row * classes;
  const float negative = rl_logarithm(s, t, classes, 1.0f, part);
  const float positive = rl_logarithm(s, t, classes, -1.0f, part);
  if (get_local_id(0) == 0) losses[row] = negative + positive;
  for (int c = get_local_id(0) * WV_LANES; c < classes; c += NW_STEP) {
    const wv_float x = wv_load_some(s, c, classes), label = wv_load_some(t, c, classes);
    // wm_exp is finite wherever a label of 0 or 1 takes the term out.
    const wv_float slope = (1.0f - label) * wm_exp(x - negative) - label * wm_exp(-x - positive);
    wv_store_some(select(slope, (wv_float)(0.0f), label < 0.0f), gradient + row * classes, c, classes);
  }
}
