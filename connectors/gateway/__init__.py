"""The server that the platforms call: who may ask, what they may see, and the answers, from views in memory."""
