// The input of a BERT encoder, before its normalisation:
//
//   out[t, c] = words[id_t, c] + positions[position_t, c] + types[0, c]
//
// Every token is of type 0: Weft reads one sequence at a time.
// Grid: a group of NW_GROUP a token.
// Budget: registers 32, stack 0, spills 0

#include "common/vectors.clh"
#include "network/rows.clh"

__kernel __attribute__((reqd_work_group_size(NW_GROUP, 1, 1)))
void embedding_sum(const __global int *restrict ids, const __global int *restrict token_positions,
                   const __global float *restrict words, const __global float *restrict positions,
                   const __global float *restrict types, __global float *restrict out, const int channels)
{
  const size_t token = get_group_id(0);
  const __global float *word = words + (size_t)ids[token] * channels;
  const __global float *position = positions + (size_t)token_positions[token] * channels;
  __global float *to = out + token * channels;
  for (int c = get_local_id(0) * WV_LANES; c < channels; c += NW_STEP)
    wv_store_some(wv_load_some(word, c, channels) + wv_load_some(position, c, channels) + wv_load_some(types, c, channels),
                  to, c, channels);
}
