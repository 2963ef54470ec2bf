import gc

from shared.vision.evidence.digest_cache import cached_by_digest


def test_the_pairs_that_were_used_last_are_kept() -> None:
    computed = []

    @cached_by_digest(maxsize=2)
    def joined(first: bytes, second: bytes) -> bytes:
        computed.append((first, second))
        return first + second

    for pair in ((b"a", b"b"), (b"b", b"a"), (b"a", b"b"), (b"c", b"d"), (b"a", b"b"), (b"b", b"a")):
        assert joined(*pair) == pair[0] + pair[1]
    assert computed == [(b"a", b"b"), (b"b", b"a"), (b"c", b"d"), (b"b", b"a")]


def test_the_bytes_are_not_kept() -> None:
    @cached_by_digest(maxsize=2)
    def length(first: bytes, second: bytes) -> int:
        return len(first) + len(second)

    data = [bytes(1000), bytes(2000)]
    assert length(*data) == 3000
    gc.collect()
    assert all(gc.get_referrers(one) == [data] for one in data)
