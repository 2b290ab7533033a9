"""A city's supervision platform, played strictly and independently of this project's own encoder.

Nothing here imports the operator's side: the crypto, the field tables and the rules are written a second time,
so that an error in the encoder is not repeated in the judge.
"""
