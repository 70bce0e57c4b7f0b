"""What all aggregates have in common: acts and events, and how one is kept."""
