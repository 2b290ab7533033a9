"""Real charging sessions from a file, sent through the pipeline at their own times and compared with what came out."""
