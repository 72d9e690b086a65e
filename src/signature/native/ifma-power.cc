#include "ifma-power.h"

namespace vigie::ifma {

namespace {

/** One element or two independent ones: their operations are written side by side, for the processor to overlap. */
template <int N>
struct Elements {
  Factor element[N];
};

template <int N>
Elements<N> square_times(Elements<N> a, int times) {
  const Vector k19 = nineteen();
  for (int t = 0; t < times; t++) {
#pragma GCC unroll 2
    for (int i = 0; i < N; i++) a.element[i] = carry(square(a.element[i]), k19);
  }
  return a;
}

template <int N>
Elements<N> times(const Elements<N>& a, const Elements<N>& b) {
  const Vector k19 = nineteen();
  Elements<N> out;
  for (int i = 0; i < N; i++) out.element[i] = multiply(a.element[i], b.element[i], k19);
  return out;
}

/** a^11, and a^(2^250 - 1) by runs of one bits, each doubled in length from the last. */
template <int N>
void common_powers(const Elements<N>& a, Elements<N>& eleven, Elements<N>& ones_250) {
  const Elements<N> two = square_times(a, 1);
  const Elements<N> nine = times(a, square_times(two, 2));
  eleven = times(nine, two);
  const Elements<N> ones_5 = times(square_times(eleven, 1), nine);
  const Elements<N> ones_10 = times(square_times(ones_5, 5), ones_5);
  const Elements<N> ones_20 = times(square_times(ones_10, 10), ones_10);
  const Elements<N> ones_40 = times(square_times(ones_20, 20), ones_20);
  const Elements<N> ones_50 = times(square_times(ones_40, 10), ones_10);
  const Elements<N> ones_100 = times(square_times(ones_50, 50), ones_50);
  const Elements<N> ones_200 = times(square_times(ones_100, 100), ones_100);
  ones_250 = times(square_times(ones_200, 50), ones_50);
}

}  // namespace

Factor invert(const Factor& a) noexcept {
  Elements<1> eleven, ones_250;
  common_powers<1>({{a}}, eleven, ones_250);
  // p - 2 = 2^255 - 21 = (2^250 - 1) * 2^5 + 11
  return times(square_times(ones_250, 5), eleven).element[0];
}

void power_p58(Factor pair[2]) noexcept {
  const Elements<2> a = {{pair[0], pair[1]}};
  Elements<2> eleven, ones_250;
  common_powers<2>(a, eleven, ones_250);
  // (p - 5) / 8 = 2^252 - 3 = (2^250 - 1) * 2^2 + 1
  const Elements<2> power = times(square_times(ones_250, 2), a);
  pair[0] = power.element[0];
  pair[1] = power.element[1];
}

}  // namespace vigie::ifma
