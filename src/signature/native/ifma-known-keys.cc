/** Keys with tables: [S]B - [k]A by additions alone. */
#include "ifma-group.h"
#include "ifma-steps.h"

namespace vigie::ifma {

namespace {

Factor permute_lanes(const Factor& a, Vector order) {
  Factor out;
  for (int i = 0; i < 5; i++) out.limb[i] = _mm512_maskz_permutexvar_epi64(kAllLanes, order, a.limb[i]);
  return out;
}

Vector lane_numbers() { return _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0); }

/** Lanes exchanged at a distance of 1, 2 or 4: lane i has what was that of lane i ^ distance. */
Cached exchange_lanes(const Cached& q, std::uint64_t distance) {
  const Vector order = _mm512_xor_si512(lane_numbers(), broadcast(distance));
  return {permute_lanes(q.y_plus_x, order), permute_lanes(q.y_minus_x, order), permute_lanes(q.z2, order),
          permute_lanes(q.t2d, order), 0};
}

/**
 * Shares the steps of the first 8 / `share` lanes out: lane i * share + j takes every share-th step of lane i, from
 * the j-th on.
 */
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
Projective gather_lanes(Factors factors, std::size_t share) {
  for (std::size_t distance = 1; distance < share; distance *= 2) {
    const Sum sum = sum_of(factors);
    factors = add_cached(sum, exchange_lanes(cached_of(sum), distance));
  }
  const Projective spread = projective_of(factors);
  const Vector order = conjoin(_mm512_mullo_epi64(lane_numbers(), broadcast(share)), broadcast(kLanes - 1));
  return {permute_lanes(spread.x, order), permute_lanes(spread.y, order), permute_lanes(spread.z, order)};
}

}  // namespace

void multiply_known(Group& group) noexcept {
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
    group.point = projective_of(add_steps(sum_from_entry(load_step(steps, 0)), steps, 1));
    return;
  }
  Steps parts;
  spread_steps(steps, share, parts);
  group.point = gather_lanes(add_steps(sum_from_entry(load_step(parts, 0)), parts, 1), share);
}

}  // namespace vigie::ifma
