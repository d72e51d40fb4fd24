#ifndef WEFT_VECTOR_SUMS_H
#define WEFT_VECTOR_SUMS_H

/* Sums over the channels of eight vectors at once, for processors with vector units that Swift's compiler is not told
   of. Each sum has the bits of a plain loop in Double over the channels in their order: what the vector unit works on
   side by side are the eight vectors. */

/* Whether this processor has them; everywhere else the functions below must not be called. */
int weft_has_vector_sums(void);

/* sums[v] = sum over c of (query[c] - vectors[v][c])^2, each difference and square rounded to double. */
void weft_sums_of_squares(const double *query, const float *const *vectors, long channels, double *sums);

/* sums[v] = sum over c of query[c] * vectors[v][c], each product rounded to double. */
void weft_sums_of_products(const double *query, const float *const *vectors, long channels, double *sums);

#endif
