"""A keyed permutation of the whole numbers below a product: what follows in order is spread, and nothing is met twice.

What HMAC-SHA256 makes of one half of a number is added to the other half, in turns; each half is below a factor of its
own (a Feistel network over a product, as Black and Rogaway describe it, 2002). So every number below the product has a
place of its own, at the cost of ten digests, and none has to be tried again as it would be with a power of two.
"""

from server.crypto.digests import mac

ROUNDS = 10  # as many as NIST's FF1 has


class Permutation:
    """A permutation of the numbers below `left` times `right`, another one under each key."""

    def __init__(self, key: bytes, left: int, right: int) -> None:
        self._key = key
        self._factors = (left, right)
        self.size = left * right

    def __call__(self, number: int) -> int:
        """Where this number (below `size`) goes."""
        if not 0 <= number < self.size:
            raise ValueError(f"not a number below {self.size}")
        halves = [number % self._factors[0], number // self._factors[0]]
        for turn in range(ROUNDS):
            side = turn % 2
            digest = mac(self._key, bytes([turn]) + halves[1 - side].to_bytes(8))
            halves[side] = (halves[side] + int.from_bytes(digest)) % self._factors[side]
        return halves[1] * self._factors[0] + halves[0]
