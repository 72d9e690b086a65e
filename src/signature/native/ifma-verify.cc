/** The AVX-512 IFMA implementation: checks gathered in groups of eight, the groups' inversion shared. */
#include "bytes.h"
#include "ifma-group.h"
#include "ifma-power.h"
#include "ifma-sha512.h"
#include "scalar.h"

namespace vigie::ifma {

namespace {

/** Checks ordered, and groups inverted, together: at 256 the inversion's share is small and 50 KiB of stack hold it. */
constexpr std::size_t kWindow = 256;
constexpr std::size_t kGroups = kWindow / kLanes + 1;

/** Checks of one rank take about as long: known or not and by which shape, then by blocks to hash. */
constexpr std::size_t kLengths = 16;
constexpr std::size_t kUnknown = kMaxWindowBits - kMinWindowBits + 1;
constexpr std::size_t kRanks = (kUnknown + 1) * kLengths;

std::size_t rank_of(const Check& check) {
  const std::uint64_t blocks = hash_blocks(check);
  // One by one to eleven, then by powers of four.
  const std::size_t magnitude = blocks < 12 ? blocks : blocks < 16 ? 12 : blocks < 64 ? 13 : blocks < 256 ? 14 : 15;
  if (check.key == nullptr) return kUnknown * kLengths + magnitude;
  const std::size_t kind = static_cast<std::size_t>(check.key->table.shape->bits - kMinWindowBits);
  return kind * kLengths + magnitude;
}

/** The window's checks that are worth a computation, ordered by rank; the known ones come first. */
struct Order {
  std::size_t count = 0, known = 0;
  std::uint16_t at[kWindow];
};

/** Refuses what fails before the equation: S not below L, a known key that is no point, R = identity. */
bool refused(const Check& check) {
  std::uint64_t s[4], r[4];
  load_256(check.signature, r);
  load_256(check.signature + 32, s);
  if (r[0] == 1 && (r[1] | r[2] | r[3]) == 0) return true;
  return !scalar_is_reduced(s) || (check.key != nullptr && !check.key->decodes);
}

void sort_by_rank(Order& order, const std::uint8_t ranks[kWindow]) {
  std::uint16_t begin[kRanks + 1] = {}, sorted[kWindow];
  for (std::size_t i = 0; i < order.count; i++) begin[ranks[i] + 1]++;
  for (std::size_t i = 0; i < kRanks; i++) begin[i + 1] = static_cast<std::uint16_t>(begin[i + 1] + begin[i]);
  for (std::size_t i = 0; i < order.count; i++) sorted[begin[ranks[i]]++] = order.at[i];
  std::memcpy(order.at, sorted, order.count * sizeof sorted[0]);
}

void put_in_order(const Check* checks, std::size_t count, std::uint8_t* verdicts, Order& order) {
  static_assert(kRanks <= 256);
  std::uint8_t ranks[kWindow];
  bool alike = true;
  for (std::size_t i = 0; i < count; i++) {
    verdicts[i] = 0;
    if (i + kLanes < count) _mm_prefetch(reinterpret_cast<const char*>(checks[i + kLanes].signature), _MM_HINT_T0);
    if (refused(checks[i])) continue;
    ranks[order.count] = static_cast<std::uint8_t>(rank_of(checks[i]));
    alike = alike && ranks[order.count] == ranks[0];
    order.at[order.count++] = static_cast<std::uint16_t>(i);
    if (checks[i].key != nullptr) order.known++;
  }
  if (!alike) sort_by_rank(order, ranks);
}

void fill_group(const Check* checks, const std::uint16_t* at, std::size_t left, Group& group) {
  group.count = left < kLanes ? left : kLanes;
  for (std::size_t lane = 0; lane < kLanes; lane++) {
    group.at[lane] = at[lane < group.count ? lane : 0];
    group.checks[lane] = &checks[group.at[lane]];
  }
}

/** What a group will hash, as far as it is short: it comes from memory while another group is computed. */
void fetch_inputs(const Group& group) {
  constexpr std::size_t kMostBytes = 1024, kLineBytes = 64;
  for (std::size_t lane = 0; lane < group.count; lane++) {
    const Check& check = *group.checks[lane];
    const std::size_t bytes = check.message_length < kMostBytes ? check.message_length : kMostBytes;
    _mm_prefetch(reinterpret_cast<const char*>(check.public_key), _MM_HINT_T0);
    for (std::size_t at = 0; at < bytes; at += kLineBytes) {
      _mm_prefetch(reinterpret_cast<const char*>(check.message + at), _MM_HINT_T0);
    }
    if (bytes != 0) _mm_prefetch(reinterpret_cast<const char*>(check.message + bytes - 1), _MM_HINT_T0);
  }
}

/** The lanes where the canonical encoding of (x, y) is R's 32 bytes. */
Mask encodes_r(const Group& group, const Factor& inverse_z) {
  Vector encoding[4], r[4];
  pack_words(multiply(group.point.y, inverse_z), encoding);
  const Mask odd = is_odd(multiply(group.point.x, inverse_z));
  encoding[3] = _mm512_mask_or_epi64(encoding[3], odd, encoding[3], broadcast(std::uint64_t{1} << 63));
  const std::uint8_t* signatures[kLanes];
  for (std::size_t lane = 0; lane < kLanes; lane++) signatures[lane] = group.checks[lane]->signature;
  transpose_rows(signatures, 0, r);
  Mask equal = group.decodes;
  for (int i = 0; i < 4; i++) equal = _mm512_mask_cmpeq_epu64_mask(equal, encoding[i], r[i]);
  return equal;
}

/** One inversion for all groups, lane by lane (Montgomery's trick). No Z is zero: see ifma-point.h. */
void settle(const Group* groups, std::size_t count, std::uint8_t* verdicts) {
  Factor products[kGroups];
  products[0] = groups[0].point.z;
  for (std::size_t i = 1; i < count; i++) products[i] = multiply(products[i - 1], groups[i].point.z);
  Factor inverse = invert(products[count - 1]);
  for (std::size_t i = count; i-- > 0;) {
    const Group& group = groups[i];
    const Factor inverse_z = i == 0 ? inverse : multiply(inverse, products[i - 1]);
    inverse = multiply(inverse, group.point.z);
    const Mask equal = encodes_r(group, inverse_z);
    for (std::size_t lane = 0; lane < group.count; lane++) verdicts[group.at[lane]] = equal >> lane & 1;
  }
}

void judge_window(const Check* checks, std::size_t count, std::uint8_t* verdicts) {
  Order order;
  put_in_order(checks, count, verdicts, order);
  if (order.count == 0) return;
  Group groups[kGroups];
  std::size_t known = 0;
  for (std::size_t i = 0; i < order.known; i += kLanes) {
    fill_group(checks, order.at + i, order.known - i, groups[known++]);
  }
  std::size_t made = known;
  for (std::size_t i = order.known; i < order.count; i += kLanes) {
    fill_group(checks, order.at + i, order.count - i, groups[made++]);
  }
  for (std::size_t i = 0; i < known; i++) {
    if (i + 1 < made) fetch_inputs(groups[i + 1]);
    multiply_known(groups[i]);
  }
  for (std::size_t i = known; i < made; i += 2) multiply_unknown(groups + i, made - i > 1 ? 2 : 1);
  settle(groups, made, verdicts);
}

}  // namespace

void verify_batch(const Check* checks, std::size_t count, std::uint8_t* verdicts) noexcept {
  for (std::size_t i = 0; i < count; i += kWindow) {
    judge_window(checks + i, count - i < kWindow ? count - i : kWindow, verdicts + i);
  }
}

}  // namespace vigie::ifma
