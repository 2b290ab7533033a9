"""Records: one `<record>.v<N>.avsc` per version, and the frozen dataclasses of the newest versions."""
