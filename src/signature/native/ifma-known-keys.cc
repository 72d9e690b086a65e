/** Keys with tables: [S]B - [k]A by additions alone. */
#include "ifma-group.h"
#include "ifma-sha512.h"
#include "ifma-steps.h"

namespace vigie::ifma {

namespace {

/** Q of each lane, the lanes exchanged at `distance` (1, 2 or 4): lane i has that of lane i ^ distance. */
Cached exchange_lanes(const Cached& q, std::uint64_t distance) {
  const Vector lanes = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  const Vector order = _mm512_xor_si512(lanes, broadcast(distance));
  Cached out;
  for (int i = 0; i < 5; i++) {
    out.y_plus_x.limb[i] = _mm512_maskz_permutexvar_epi64(kAllLanes, order, q.y_plus_x.limb[i]);
    out.y_minus_x.limb[i] = _mm512_maskz_permutexvar_epi64(kAllLanes, order, q.y_minus_x.limb[i]);
    out.z2.limb[i] = _mm512_maskz_permutexvar_epi64(kAllLanes, order, q.z2.limb[i]);
    out.t2d.limb[i] = _mm512_maskz_permutexvar_epi64(kAllLanes, order, q.t2d.limb[i]);
  }
  return out;
}

/** Shares the steps of the first 8 / `share` lanes out: lane i * share + j takes every share-th of lane i from the j-th on. */
void spread_steps(const Steps& steps, std::size_t share, Steps& out) {
  out.count = (steps.count + share - 1) / share;
  for (std::size_t i = 0; i < out.count; i++) {
    out.negative[i] = 0;
    for (std::size_t lane = 0; lane < kLanes; lane++) {
      const std::size_t from = i * share + lane % share, owner = lane / share;
      // Past the end there is nothing to add: the first entry of the first row is the identity.
      const bool some = from < steps.count;
      out.entry[i][lane] = some ? steps.entry[from][owner] : reinterpret_cast<std::uint64_t>(base_point_table().rows);
      const unsigned sign = some ? steps.negative[from] >> owner & 1u : 0u;
      out.negative[i] |= static_cast<Mask>(sign << lane);
    }
  }
}

/** The sums of each `share` neighbouring lanes, left in lane i for the i-th lot of them. */
Projective gather_lanes(Factors factors, std::size_t share, Vector k19) {
  for (std::size_t distance = 1; distance < share; distance *= 2) {
    const Sum sum = sum_of(factors, k19);
    factors = add_cached(sum, exchange_lanes(cached_of(sum, k19), distance), k19);
  }
  const Projective spread = projective_of(factors, k19);
  const Vector lanes = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  const Vector order = conjoin(_mm512_mullo_epi64(lanes, broadcast(share)), broadcast(kLanes - 1));
  Projective out;
  for (int i = 0; i < 5; i++) {
    out.x.limb[i] = _mm512_maskz_permutexvar_epi64(kAllLanes, order, spread.x.limb[i]);
    out.y.limb[i] = _mm512_maskz_permutexvar_epi64(kAllLanes, order, spread.y.limb[i]);
    out.z.limb[i] = _mm512_maskz_permutexvar_epi64(kAllLanes, order, spread.z.limb[i]);
  }
  return out;
}

}  // namespace

void scalars_of(const Group& group, Vector k[4], Vector s[4]) noexcept {
  Vector digest[8];
  hash_checks(group.checks, digest);
  scalar_reduce(digest, k);
  const std::uint8_t* signatures[kLanes];
  for (std::size_t lane = 0; lane < kLanes; lane++) signatures[lane] = group.checks[lane]->signature;
  transpose_rows(signatures, 32, s);
}

void multiply_known(Group& group) noexcept {
  const Vector k19 = nineteen();
  const FixedBaseTable *keys[kLanes], *base[kLanes];
  for (std::size_t lane = 0; lane < kLanes; lane++) {
    keys[lane] = &group.checks[lane]->key->table;
    base[lane] = &base_point_table();
  }
  Vector k[4], s[4];
  scalars_of(group, k, s);
  Steps steps;
  steps.count = 0;
  plan_steps(keys, k, steps);
  plan_steps(base, s, steps);
  group.decodes = kAllLanes;
  // Four checks or fewer share the lanes: each sum is cut in parts, and the parts added up.
  const std::size_t share = group.count > 4 ? 1 : group.count > 2 ? 2 : group.count > 1 ? 4 : 8;
  if (share == 1) {
    group.point = projective_of(add_steps(sum_from_entry(load_step(steps, 0), k19), steps, 1), k19);
    return;
  }
  Steps parts;
  spread_steps(steps, share, parts);
  group.point = gather_lanes(add_steps(sum_from_entry(load_step(parts, 0), k19), parts, 1), share, k19);
}

}  // namespace vigie::ifma
