/** The answers' bytes, and that none is longer than was said: each is written into no more room than its bound. */
#include "ingress/native/answer-writer.h"

#include "check.h"
#include "exact.h"
#include "random.h"

using namespace vigie;

namespace {

Piece piece(const testing::Exact& content) { return {content.data(), content.size()}; }

std::string write(const Answer& answer) {
  const testing::Exact out(answer_bound(answer));
  const std::size_t length = static_cast<std::size_t>(write_answer(answer, out.data()) - out.data());
  CHECK(length <= out.size(), "%zu of %zu bytes", length, out.size());
  return out.text().substr(0, length);
}

void by_hand() {
  const testing::Exact head(std::string("{\"verdict\":\"valid\"")), iss(std::string("i")), jti(std::string("j")), sub(std::string("s"));
  const testing::Exact claims(std::string("{\"x\":1}")), key(std::string("\"kid\":\"k\"")), tail(std::string(",\"t\":0}\n"));
  Answer answer{piece(head), piece(iss), piece(jti), piece(sub), true, 1780272000, piece(claims), true, false, piece(key), piece(tail)};
  CHECK(write(answer) ==
            "{\"verdict\":\"valid\",\"credential\":{\"iss\":\"i\",\"jti\":\"j\",\"sub\":\"s\",\"exp\":1780272000,\"claims\":{\"x\":1}},"
            "\"verified\":[\"issuer\"],\"key\":{\"kid\":\"k\"},\"t\":0}\n", "a signature that holds");
  answer.proof_holds = true;
  CHECK(write(answer).find("\"claims\":{\"x\":1}},\"verified\":[\"issuer\",\"holder\"],\"key\":{") != std::string::npos,
        "a proof that holds as well");
  // A proof alone says nothing: it is judged only once the issuer's signature holds.
  answer.has_sub = answer.signature_holds = false;
  answer.exp = 0;
  CHECK(write(answer) ==
            "{\"verdict\":\"valid\",\"credential\":{\"iss\":\"i\",\"jti\":\"j\",\"exp\":0,\"claims\":{}},"
            "\"verified\":[],\"key\":{\"kid\":\"k\"},\"t\":0}\n", "a signature that does not");
}

void never_beyond_the_bound() {
  testing::Random random(9);
  for (int i = 0; i < 20'000; ++i) {
    const auto any = [&] { return testing::Exact(random.bytes(random.below(random.below(4) == 0 ? 300 : 3))); };
    const testing::Exact head = any(), iss = any(), jti = any(), sub = any(), claims = any(), key = any(), tail = any();
    const std::uint64_t exp = random.below(2) == 0 ? ~std::uint64_t{0} : random.next() >> random.below(64);
    write({piece(head), piece(iss), piece(jti), piece(sub), random.below(2) == 0, exp, piece(claims), random.below(2) == 0,
           random.below(2) == 0, piece(key), piece(tail)});
  }
}

}  // namespace

int main() {
  by_hand();
  never_beyond_the_bound();
  return finish("answer writer");
}
