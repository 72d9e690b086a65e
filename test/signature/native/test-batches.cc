/** A verdict never depends on the neighbours: every lane, every batch size, known and unknown keys mixed. */
#include <cstring>
#include <memory>

#include "cases.h"
#include "check.h"
#include "each-implementation.h"

using namespace reference;

namespace {

/** An input with its verdict and its key, prepared where it is known. */
struct Item {
  Triple triple;
  vigie::PreparedKeyPtr key;
  bool verdict;
};

/** Valid, invalid and undecodable ones; keys of every window width; messages from no block more to five. */
std::vector<Item> make_pool() {
  Random random(17);
  std::vector<Triple> triples = cases::rfc_8032();
  for (int i = 0; i < 24; i++) {
    triples.push_back(sign(random.scalar(), random.scalar(), random.bytes(random.next() % 600)));
    triples.push_back(cases::spoiled(triples.back(), static_cast<unsigned>(random.next() % 256)));
  }
  for (std::uint64_t i = 0; i < 6; i++) {
    Triple refused = triples[i];
    refused.key = cases::undecodable_key(i);
    triples.push_back(refused);
    Triple beyond = triples[i];
    number_to(plain_add(number_from(beyond.signature.data() + 32), kOrder), beyond.signature.data() + 32);
    triples.push_back(beyond);
  }
  std::vector<Item> pool;
  for (const Triple& triple : triples) {
    const auto shape = vigie::kMinWindowBits + static_cast<int>(pool.size() % 8);
    const bool known = pool.size() % 3 != 0;
    pool.push_back({triple, known ? vigie::prepare_key(triple.key.data(), shape) : nullptr, verdict(triple)});
  }
  return pool;
}

void judge(vigie::Implementation implementation, const std::vector<const Item*>& batch, const char* what) {
  // Exactly as large as the batch, so that the sanitiser sees a verdict or a check too many.
  const auto checks = std::make_unique<vigie::Check[]>(batch.size());
  const auto verdicts = std::make_unique<std::uint8_t[]>(batch.size());
  for (std::size_t i = 0; i < batch.size(); i++) {
    checks[i] = cases::check_of(batch[i]->triple, batch[i]->key.get());
    verdicts[i] = 2;
  }
  vigie::verify_batch(implementation, checks.get(), batch.size(), verdicts.get());
  for (std::size_t i = 0; i < batch.size(); i++) {
    CHECK(verdicts[i] == (batch[i]->verdict ? 1 : 0), "%s, %s: %zu of %zu is %d", name_of(implementation), what, i,
          batch.size(), verdicts[i]);
  }
}

/** Each item in each place of eight, the others drawn from the pool. */
void every_lane(vigie::Implementation implementation, const std::vector<Item>& pool) {
  Random random(18);
  for (const Item& item : pool) {
    for (std::size_t lane = 0; lane < 8; lane++) {
      std::vector<const Item*> batch(8);
      for (auto& neighbour : batch) neighbour = &pool[random.next() % pool.size()];
      batch[lane] = &item;
      judge(implementation, batch, "lanes");
    }
  }
}

void every_size(vigie::Implementation implementation, const std::vector<Item>& pool) {
  Random random(19);
  judge(implementation, {}, "nothing");
  for (std::size_t size = 1; size <= 17; size++) {
    for (int round = 0; round < 12; round++) {
      std::vector<const Item*> batch(size);
      for (auto& item : batch) item = &pool[random.next() % pool.size()];
      judge(implementation, batch, "sizes");
    }
  }
  // Around the groups that share an inversion.
  for (const std::size_t size : {63, 64, 65, 127, 128, 129, 255, 256, 257, 300}) {
    std::vector<const Item*> batch(size);
    for (auto& item : batch) item = &pool[random.next() % pool.size()];
    judge(implementation, batch, "groups");
  }
}

/** Batches of one kind only: all known, all unknown, all valid, none valid. */
void one_kind(vigie::Implementation implementation, const std::vector<Item>& pool) {
  for (int kind = 0; kind < 4; kind++) {
    std::vector<const Item*> batch;
    for (const Item& item : pool) {
      const bool of_the_kind[] = {item.key != nullptr, item.key == nullptr, item.verdict, !item.verdict};
      if (of_the_kind[kind]) batch.push_back(&item);
    }
    CHECK(!batch.empty(), "kind %d", kind);
    judge(implementation, batch, "one kind");
  }
}

}  // namespace

int main() {
  if (!vigie::initialise()) return 1;
  const std::vector<Item> pool = make_pool();
  for_each_implementation([&](vigie::Implementation implementation) {
    every_lane(implementation, pool);
    every_size(implementation, pool);
    one_kind(implementation, pool);
  });
  return finish("test-batches");
}
