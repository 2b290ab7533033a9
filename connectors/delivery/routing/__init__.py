"""From the derived topics to the lanes of every platform that supervises the record's station."""
