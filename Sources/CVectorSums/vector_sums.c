#include "vector_sums.h"

/* A fused multiply-add would round once where a plain loop rounds twice. */
#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__) && defined(__clang__)

typedef float floats __attribute__((vector_size(32)));
typedef float unaligned_floats __attribute__((vector_size(32), aligned(4)));
typedef double doubles __attribute__((vector_size(64)));

#define LOAD(vector) *(const unaligned_floats *)(vectors[vector] + c)
#define LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define LOW_FOURS(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define HIGH_FOURS(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define LOW_HALVES(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define HIGH_HALVES(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

/* Eight channels of eight vectors at a time, turned so that a channel's eight elements lie side by side. */
static inline __attribute__((always_inline)) void sum(
    const double *query, const float *const *vectors, long channels, double *sums, int takes_squares)
{
  doubles total = {0};
  long c = 0;
  for (; c + 8 <= channels; c += 8) {
    const floats x0 = LOAD(0), x1 = LOAD(1), x2 = LOAD(2), x3 = LOAD(3);
    const floats x4 = LOAD(4), x5 = LOAD(5), x6 = LOAD(6), x7 = LOAD(7);
    const floats l01 = LOW_PAIRS(x0, x1), h01 = HIGH_PAIRS(x0, x1), l23 = LOW_PAIRS(x2, x3), h23 = HIGH_PAIRS(x2, x3);
    const floats l45 = LOW_PAIRS(x4, x5), h45 = HIGH_PAIRS(x4, x5), l67 = LOW_PAIRS(x6, x7), h67 = HIGH_PAIRS(x6, x7);
    /* Channels 0 and 4 of the first four vectors, 1 and 5, 2 and 6, 3 and 7; then of the others. */
    const floats a04 = LOW_FOURS(l01, l23), a15 = HIGH_FOURS(l01, l23);
    const floats a26 = LOW_FOURS(h01, h23), a37 = HIGH_FOURS(h01, h23);
    const floats b04 = LOW_FOURS(l45, l67), b15 = HIGH_FOURS(l45, l67);
    const floats b26 = LOW_FOURS(h45, h67), b37 = HIGH_FOURS(h45, h67);
    const floats elements[8] = {
        LOW_HALVES(a04, b04), LOW_HALVES(a15, b15), LOW_HALVES(a26, b26), LOW_HALVES(a37, b37),
        HIGH_HALVES(a04, b04), HIGH_HALVES(a15, b15), HIGH_HALVES(a26, b26), HIGH_HALVES(a37, b37)};
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; ++i) {
      const doubles element = __builtin_convertvector(elements[i], doubles);
      const doubles term = takes_squares ? query[c + i] - element : query[c + i] * element;
      total += takes_squares ? term * term : term;
    }
  }
  for (; c < channels; ++c)
    for (int v = 0; v < 8; ++v) {
      const double term = takes_squares ? query[c] - vectors[v][c] : query[c] * vectors[v][c];
      total[v] += takes_squares ? term * term : term;
    }
  for (int v = 0; v < 8; ++v) sums[v] = total[v];
}

/* The same for two generations of vector units. */
#define DEFINE(unit, name, takes_squares)                                                               \
  __attribute__((target(unit))) static void name(                                                       \
      const double *query, const float *const *vectors, long channels, double *sums)                    \
  {                                                                                                     \
    sum(query, vectors, channels, sums, takes_squares);                                                 \
  }
DEFINE("avx512f", squares_avx512, 1)
DEFINE("avx512f", products_avx512, 0)
DEFINE("avx2", squares_avx2, 1)
DEFINE("avx2", products_avx2, 0)

int weft_has_vector_sums(void) { return __builtin_cpu_supports("avx2") != 0; }

void weft_sums_of_squares(const double *query, const float *const *vectors, long channels, double *sums)
{
  (__builtin_cpu_supports("avx512f") ? squares_avx512 : squares_avx2)(query, vectors, channels, sums);
}

void weft_sums_of_products(const double *query, const float *const *vectors, long channels, double *sums)
{
  (__builtin_cpu_supports("avx512f") ? products_avx512 : products_avx2)(query, vectors, channels, sums);
}

#else

int weft_has_vector_sums(void) { return 0; }

void weft_sums_of_squares(const double *query, const float *const *vectors, long channels, double *sums) {}

void weft_sums_of_products(const double *query, const float *const *vectors, long channels, double *sums) {}

#endif
