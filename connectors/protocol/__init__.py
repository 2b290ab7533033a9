"""The wire protocol of T/CEC 102, pure: envelopes, signatures, encryption, sequence numbers and tokens.

No I/O and no clock: bytes and instants come in as arguments, bytes and dataclasses go out.
"""
