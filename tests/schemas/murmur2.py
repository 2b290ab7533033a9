"""Where Java's default partitioner puts a key: an oracle of our own."""

_M, _R, _SEED, _WORD = 0x5BD1E995, 24, 0x9747B28C, 0xFFFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key on a topic with so many."""
    return (_murmur2(key) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    h = _SEED ^ len(data)
    whole = len(data) & ~3
    for begin in range(0, whole, 4):
        k = int.from_bytes(data[begin : begin + 4], "little") * _M & _WORD
        k = (k ^ k >> _R) * _M & _WORD
        h = h * _M & _WORD ^ k
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _WORD
    h = (h ^ h >> 13) * _M & _WORD
    return h ^ h >> 15
