"""A city's supervision platform, played strictly and independently of this project's own encoder.

It receives the operator's pushes (`server`) and calls the operator's queries (`caller`). Nothing here imports the
operator's side: the crypto, the field tables and the rules are written a second time, so that an error in the encoder
is not repeated in the judge.
"""
